// Keeps the documentation true: the ts and js blocks of the markdown files and of the sources' JSDoc compile, those that
// open with `ts run` run as well, and relative links lead to files. Those that open with `js npm` need packages of
// interop/npm, and `npm run interop` runs them.
//
// Each block becomes a file of its own in node_modules/.cache, where the packages are found by name as a user's program
// finds them; it is padded with empty lines, so that its line numbers are those of the page it stands in.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import process from 'node:process'
import ts from 'typescript'
import { filesMatching, root } from './files.js'
import { failures } from './run-snippets.js'

/** @typedef {{ file: string, lines: string[] }} Page a text with as many lines as its file */
/** @typedef {{ file: string, line: number, path: string, run: boolean, text: string }} Snippet */

const folder = join(root, 'node_modules', '.cache', 'snippets')

/** How a block begins. */
const opening = /^( *)(`{3,})(ts|js)( run| npm)?$/

/** @type {ts.CompilerOptions} */
const compilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  types: ['node'],
  strict: true,
  allowJs: true,
  checkJs: true,
  noEmit: true,
  skipLibCheck: true,
}

const markdown = filesMatching(/\.md$/).map(readPage)
const sources = filesMatching(/^packages\/[^/]+\/src\/.*\.ts$/)
  .map(readPage)
  .map(commentsOf)
const snippets = [...markdown, ...sources].flatMap(snippetsOf)

writeSnippets()
const faults = [
  ...markdown.flatMap(deadLinks),
  ...sources.flatMap(bareExamples),
  ...[...markdown, ...sources].flatMap(oddFences),
  ...typeErrors(),
]
const runnable = snippets.filter(({ run }) => run)
if (faults.length === 0) faults.push(...(await failures(runnable, { folder, compilerOptions })))
for (const fault of faults) console.error(fault)
const counts = `${snippets.length} snippets, of which ${runnable.length} run`
console.log(`docs: ${markdown.length} pages, ${counts}, ${faults.length} faults`)
process.exitCode = faults.length > 0 ? 1 : 0

/**
 * @param {string} file
 * @returns {Page}
 */
function readPage(file) {
  return { file, lines: readFileSync(join(root, file), 'utf8').split('\n') }
}

/**
 * The JSDoc of a source, as the markdown that it is.
 *
 * @param {Page} source
 * @returns {Page}
 */
function commentsOf({ file, lines }) {
  let inside = false
  const prose = lines.map(line => {
    inside ||= /^\s*\/\*\*/.test(line)
    const text = inside ? line.replace(/^\s*\/?\*+\/? ?/, '') : ''
    inside &&= !line.includes('*/')
    return text
  })
  return { file, lines: prose }
}

/**
 * @param {Page} page
 * @returns {Snippet[]}
 */
function snippetsOf({ file, lines }) {
  return lines.flatMap((line, at) => {
    const [, indent = '', fence = '', language = '', mark] = opening.exec(line) ?? []
    if (fence === '' || mark === ' npm') return []
    const code = lines.slice(at + 1, lines.indexOf(indent + fence, at + 1))
    const path = join(folder, `${file}.${at + 1}.${language}`)
    return [{ file, line: at + 1, path, run: mark === ' run', text: '\n'.repeat(at + 1) + code.join('\n') }]
  })
}

function writeSnippets() {
  rmSync(folder, { recursive: true, force: true })
  for (const { path, text } of snippets) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
}

function typeErrors() {
  const program = ts.createProgram(
    snippets.map(snippet => snippet.path),
    compilerOptions,
  )
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, code, messageText }) => {
    const message = `error TS${code}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    if (!file) return message
    const { line, character } = file.getLineAndCharacterOfPosition(start)
    const page = relative(folder, file.fileName)
      .split(sep)
      .join('/')
      .replace(/\.\d+\.(ts|js)$/, '')
    return `${page}:${line + 1}:${character + 1} - ${message}`
  })
}

/** @param {Page} page */
function deadLinks({ file, lines }) {
  let fence = ''
  return lines.flatMap((line, at) => {
    const [mark = ''] = /^ *`{3,}/.exec(line) ?? []
    if (mark !== '' && (fence === '' || mark === fence)) fence = fence === '' ? mark : ''
    if (fence !== '') return []
    return [...line.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s#]+)|^\[[^\]]+\]: ([^\s#]+)/g)]
      .map(([, inline, reference]) => inline ?? reference ?? '')
      .filter(target => !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(file), decodeURI(target))))
      .map(target => `${file}:${at + 1} - the link to ${target} leads nowhere`)
  })
}

/**
 * Blocks that would escape the compiler by how they begin.
 *
 * @param {Page} page
 */
function oddFences({ file, lines }) {
  return lines.flatMap((line, at) =>
    /^ *`{3,}([cm]?[jt]sx?|typescript|javascript)\b/i.test(line) && !opening.test(line)
      ? [
          `${file}:${at + 1} - write \`\`\`ts or \`\`\`js, alone or with run or npm, instead of ${line.trim()}`,
        ]
      : [],
  )
}

/** @param {Page} source */
function bareExamples({ file, lines }) {
  return lines.flatMap((line, at) =>
    line.startsWith('@example') && !lines[at + 1]?.startsWith('```')
      ? [`${file}:${at + 1} - put the code of @example in a \`\`\`ts block, so that it is compiled`]
      : [],
  )
}
