// Finds the sentences of a page or a source file, and what makes them hard to read.

import tseslint from 'typescript-eslint'

/** Beyond this a reader has to go back to the start of the sentence. */
const MAX_WORDS = 25

/** Each hides who does what. */
const FORBIDDEN =
  /\b(?:nobody|somebody|whoever|is no(?! longer\b)|of nothing|told of|says what it comes to|what becomes of)\b/gi

/** A string with fewer words is a name, a label or a part of a sentence. */
const MIN_STRING_WORDS = 4

/** What scripts write into a page stands below a comment with these words. */
const GENERATED = /<!-- (?:What follows is )?written by/i

/** Lines that hold no prose: tables, headings, HTML, pictures, references, and drawings. */
const NO_PROSE = /^\s*(?:\||#|<|!\[|\[[^\]]+\]:|$)|[─-▟◄►▲▼]/

/** @typedef {{ line: number, text: string }} Block a paragraph, an item of a list, or a string */
/** @typedef {{ line: number, problem: string, sentence: string }} Fault */
/** @typedef {{ loc: { start: { line: number, column: number } } }} Placed */
/** @typedef {Placed & { type: string, value?: unknown, quasis?: { value: { cooked: string } }[] }} Node */
/** @typedef {Node & { comments: (Placed & { value: string })[], body: Node[] }} Program */

const parser = /** @type {{ parseForESLint(text: string, options: object): { ast: Program } }} */ (
  tseslint.parser // its own types leave the options out
)
const sentences = new Intl.Segmenter('en', { granularity: 'sentence' })

/**
 * The paragraphs and list items of a page.
 *
 * @param {string} text
 * @returns {Block[]}
 */
export function blocksOfMarkdown(text) {
  /** @type {Block[]} */
  const blocks = []
  let [fence, open] = ['', false]
  for (const [index, line] of text.split('\n').entries()) {
    if (GENERATED.test(line)) break
    const [mark = ''] = /(?<=^\s*)`{3,}/.exec(line) ?? []
    if (mark !== '' && (fence === '' || mark === fence)) fence = fence === '' ? mark : ''
    const last = blocks.at(-1)
    const item = /^\s*(?:(?:[-*]|\d+\.|>)\s+)+/.exec(line)
    if (fence !== '' || mark !== '' || NO_PROSE.test(line)) open = false
    else if (open && !item && last) last.text += ` ${line.trim()}`
    else {
      blocks.push({ line: index + 1, text: line.slice(item?.[0].length ?? 0).trim() })
      open = true
    }
  }
  return blocks
}

/**
 * The prose of a source's comments. A tag, and a comment behind code, starts a block.
 *
 * @param {string} text
 * @returns {Block[]}
 */
export function blocksOfComments(text) {
  const code = text.split('\n')
  const page = code.map(() => '')
  for (const { value, loc } of parse(text).comments) {
    const { line, column } = loc.start
    const prose = value.replace(/^\s*(?:eslint-|c8 ignore|@ts-)(?:.*? -- )?/, '- ')
    const behindCode = code[line - 1]?.slice(0, column).trim() !== ''
    for (const [index, each] of prose.split('\n').entries()) {
      const plain = each.replace(/^\s*\*?\s?/, '').replace(/^@\w+(?:\s+\{[^}]*\})?/, '- ')
      page[line - 1 + index] = behindCode && index === 0 ? `- ${plain}` : plain
    }
  }
  return blocksOfMarkdown(page.join('\n'))
}

/**
 * The strings of a source that are long enough to be read as sentences.
 *
 * @param {string} text
 * @returns {Block[]}
 */
export function blocksOfStrings(text) {
  return stringsIn(parse(text).body).filter(each => wordsIn(each.text) >= MIN_STRING_WORDS)
}

/** @param {string} text */
function parse(text) {
  return parser.parseForESLint(text, { comment: true, loc: true }).ast
}

/**
 * @param {unknown} node
 * @returns {Block[]}
 */
function stringsIn(node) {
  if (typeof node !== 'object' || node === null) return []
  if (Array.isArray(node)) return node.flatMap(stringsIn)
  const { type, value, quasis, loc } = /** @type {Node} */ (node) // the parser's tree holds nothing else
  const below = Object.values(node).flatMap(stringsIn)
  if (type === 'Literal' && typeof value === 'string') return [{ line: loc.start.line, text: value }]
  if (type !== 'TemplateLiteral' || !quasis) return below
  return [{ line: loc.start.line, text: quasis.map(each => each.value.cooked).join('x') }, ...below]
}

/**
 * What is wrong with a block.
 *
 * @param {Block} block
 * @returns {Fault[]}
 */
export function faultsOf({ line, text }) {
  const prose = text
    .replace(/(`+).*?\1/g, 'Code') // with a capital, since a sentence may start with it
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\{@link ([^}]*)\}/g, '$1')
    .replace(/\b(?:e\.g|i\.e|vs)\./g, match => match.replaceAll('.', ''))
  return [...sentences.segment(prose)].flatMap(({ segment }) => {
    const sentence = segment.trim()
    const length = wordsIn(sentence)
    const long = length > MAX_WORDS ? [`${length} words, at most ${MAX_WORDS}`] : []
    const forbidden = [...sentence.matchAll(FORBIDDEN)].map(([word]) => `"${word}" hides who does what`)
    return [...long, ...forbidden].map(problem => ({ line, problem, sentence }))
  })
}

/**
 * How many words a text has: what holds a letter or a digit, between spaces.
 *
 * @param {string} text
 */
export function wordsIn(text) {
  return text.split(/\s+/).filter(word => /[\p{L}\p{N}]/u.test(word)).length
}
