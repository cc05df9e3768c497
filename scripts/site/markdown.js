// typedoc reads markdown otherwise than GitHub in three places, which this puts right.

/** @typedef {{ type: string, tag: string, info: string, children: Token[] | null }} Token */
/** @typedef {(tokens: Token[], at: number, ...rest: unknown[]) => string} RenderRule */
/**
 * What is used here of markdown-it, which comes without types.
 *
 * @typedef {{
 *   linkify: { set(options: { fuzzyLink: boolean }): void },
 *   core: { ruler: { push(name: string, rule: (state: { tokens: Token[] }) => void): void } },
 *   renderer: { rules: { text: RenderRule } },
 * }} Parser
 */

/**
 * A name like `server.md` in the text is no link. A block that names no language is no TypeScript. And a heading is called
 * by all its text: code in it is made text, and shown as code all the same.
 *
 * @param {Parser} parser
 */
export function readAsGithubDoes(parser) {
  parser.linkify.set({ fuzzyLink: false })
  parser.core.ruler.push('as-github-does', ({ tokens }) => {
    for (const [at, token] of tokens.entries()) {
      if (token.type === 'fence' && token.info === '') token.info = 'text'
      if (token.type === 'heading_open') makeText(tokens[at + 1])
    }
  })
  const { text } = parser.renderer.rules
  parser.renderer.rules.text = (tokens, at, ...rest) => {
    const html = text(tokens, at, ...rest)
    return tokens[at]?.tag === 'code' ? `<code>${html}</code>` : html
  }
}

/** @param {Token | undefined} heading */
function makeText(heading) {
  for (const part of heading?.children ?? [])
    if (part.type === 'code_inline') Object.assign(part, { type: 'text', tag: 'code' })
}
