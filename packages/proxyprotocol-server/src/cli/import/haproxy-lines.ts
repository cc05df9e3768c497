import type { Directive } from './draft.ts'

export interface Section {
  readonly kind: string
  readonly name: string
  readonly line: number
  readonly directives: Directive[]
}

const KINDS = new Set([
  'global',
  'defaults',
  'frontend',
  'backend',
  'listen',
  'userlist',
  'peers',
  'resolvers',
  'mailers',
  'cache',
  'program',
  'ring',
  'log-forward',
  'fcgi-app',
  'http-errors',
  'crt-store',
])

/** A word with parts in quotes, with escapes, or a comment. */
const WORD = /#.*|(?:"(?:\\.|[^"])*"|'[^']*'|\\.|[^\s"'\\#])+/g

export function readSections(text: string): readonly Section[] {
  const sections: Section[] = []
  for (const [index, written] of text.split('\n').entries()) {
    const [name, ...args] = wordsOf(written)
    if (name === undefined) continue
    const line = index + 1
    if (KINDS.has(name)) sections.push({ kind: name, name: args[0] ?? '', line, directives: [] })
    else sections.at(-1)?.directives.push({ name, args, line })
  }
  return sections
}

function wordsOf(line: string): readonly string[] {
  return (line.match(WORD) ?? [])
    .filter(word => !word.startsWith('#'))
    .map(word => word.replace(/"((?:\\.|[^"])*)"|'([^']*)'|\\(.)/g, '$1$2$3'))
}
