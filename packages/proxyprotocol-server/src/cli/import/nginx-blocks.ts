import type { Directive } from './draft.ts'

const TOKEN = /#.*|\n|[{};]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?:\\.|\$\{\w+\}|[^\s{};#"'\\])+/g

interface Open {
  readonly start: Omit<Directive, 'block'>
  readonly block: Directive[]
}

/** The directives of the file; undefined if braces do not match. */
export function readBlocks(text: string): readonly Directive[] | undefined {
  const open: Open[] = [{ start: { name: '', args: [], line: 0 }, block: [] }]
  let words: string[] = []
  let first = 1
  let line = 1
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '\n') line++
    else if (token === ';' || token === '{') {
      const [name = '', ...args] = words
      if (token === '{') open.push({ start: { name, args, line: first }, block: [] })
      else open.at(-1)?.block.push({ name, args, line: first })
      words = []
    } else if (token === '}') {
      const closed = open.pop()
      if (!closed || open.length === 0) return undefined
      open.at(-1)?.block.push({ ...closed.start, block: closed.block })
    } else if (!token.startsWith('#')) {
      if (words.length === 0) first = line
      words.push(token.replace(/^(["'])(.*)\1$/s, '$2'))
    }
  }
  return open.length === 1 ? open[0]?.block : undefined
}
