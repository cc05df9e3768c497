// Conditions of HAProxy, as far as server names and networks say them.

export type Match =
  { readonly kind: 'names' | 'networks'; readonly values: readonly string[] } | { readonly kind: 'hello' }

export interface Condition {
  readonly isNegated: boolean
  readonly kind: Match['kind']
  readonly values: readonly string[]
}

export type Acls = Map<string, readonly (readonly string[])[]>

/** The words behind `if` or `unless`; undefined for what routes and lists cannot say. */
export function conditionOf(words: readonly string[], acls: Acls): Condition | undefined {
  const [keyword, ...rest] = words
  const [first, ...others] = alternatives(rest)
  const isNot = first?.[0]?.startsWith('!') ?? false
  if (first === undefined || (isNot && others.length > 0)) return undefined
  const terms = isNot
    ? [first.map((word, at) => (at === 0 ? word.slice(1) : word)).filter(Boolean)]
    : [first, ...others]
  const matches = terms.flatMap(term => matchesOf(term, acls))
  const [match] = matches
  if (!match || matches.some(each => each?.kind !== match.kind)) return undefined
  const values = matches.flatMap(each => (each && each.kind !== 'hello' ? each.values : []))
  return { isNegated: isNot !== (keyword === 'unless'), kind: match.kind, values }
}

function alternatives(words: readonly string[]): readonly (readonly string[])[] {
  const terms: string[][] = [[]]
  for (const word of words) {
    if (word === '||' || word === 'or') terms.push([])
    else terms.at(-1)?.push(word)
  }
  return terms
}

function matchesOf(term: readonly string[], acls: Acls): readonly (Match | undefined)[] {
  const [first = '', ...more] = term
  if (first === '{') return [more.indexOf('}') === more.length - 1 ? matchOf(more.slice(0, -1)) : undefined]
  const tests = more.length > 0 ? undefined : acls.get(first)
  return tests ? tests.map(matchOf) : [undefined]
}

function matchOf([fetch = '', ...words]: readonly string[]): Match | undefined {
  const method = words.includes('-m') ? words[words.indexOf('-m') + 1] : 'str'
  const values = words.filter((word, at) => word !== '-i' && word !== '-m' && words[at - 1] !== '-m')
  if (values.length === 0 || values.some(value => value.startsWith('-'))) return undefined
  switch (fetch.replace('req_ssl', 'req.ssl')) {
    case 'req.ssl_hello_type':
      return values[0] === '1' ? { kind: 'hello' } : undefined
    case 'src':
      return { kind: 'networks', values }
    case 'req.ssl_sni':
      return namesOf(method, values)
    default:
      return undefined
  }
}

function namesOf(method: string | undefined, values: readonly string[]): Match | undefined {
  if (method === 'str') return { kind: 'names', values }
  if (method !== 'end' || values.some(value => !value.startsWith('.'))) return undefined
  return { kind: 'names', values: values.map(value => `*${value}`) }
}
