// Draws docs/images/header.svg: a header as proxyprotocol-inspect shows it on a terminal, readable on light and dark pages.
//
// npm run docs:picture                 writes it
// node scripts/picture.js --check      only says whether it is as it would be written

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { encodeHeader, tlv } from 'proxyprotocol'
import { inspect, reportText } from '../packages/proxyprotocol-server/dist/cli/inspect/report.js'
import { root } from './files.js'

const file = join(root, 'docs/images/header.svg')
const [COLUMN, LINE, MARGIN] = [7.8, 19, 20]
const [light, dark] = [
  {
    page: '#f6f8fa',
    ink: '#1f2328',
    c2: '#6a737d',
    c36: '#0a6c85',
    c32: '#1a7f37',
    c33: '#8a5a00',
    c35: '#8250df',
    c34: '#0550ae',
  },
  {
    page: '#0d1117',
    ink: '#e6edf3',
    c2: '#8b949e',
    c36: '#56d4dd',
    c32: '#7ee787',
    c33: '#f2cc60',
    c35: '#d2a8ff',
    c34: '#79c0ff',
  },
]

const header = encodeHeader(
  {
    source: { address: '192.0.2.1', port: 56324 },
    destination: { address: '198.51.100.7', port: 443 },
    tlvs: [tlv.alpn('h2'), tlv.authority('example.org')],
  },
  { checksum: true },
)
const svg = drawing(`$ proxyprotocol-inspect --file header.bin\n\n${reportText(inspect(header), true)}`)

if (!process.argv.includes('--check')) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, svg)
} else if (readFileSync(file, 'utf8') !== svg) {
  console.error(`${file} is not what the inspector shows: npm run docs:picture`)
  process.exitCode = 1
}

/** @param {string} text with the colours of a terminal */
function drawing(text) {
  const lines = text.trimEnd().split('\n').map(runs)
  const columns = Math.max(...lines.map(line => line.reduce((sum, run) => sum + run.text.length, 0)))
  const [width, height] = [Math.ceil(columns * COLUMN) + 2 * MARGIN, lines.length * LINE + 2 * MARGIN - 4]
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="A PROXY protocol header, field by field">
<style>${rules(light)} text { font: 13px ui-monospace, 'SF Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace; white-space: pre } @media (prefers-color-scheme: dark) { ${rules(dark)} }</style>
<rect class="page" width="${width}" height="${height}" rx="8"/>
${lines.flatMap((line, row) => drawn(line, row)).join('\n')}
</svg>
`
}

/** @param {Record<string, string>} colours */
function rules(colours) {
  return Object.entries(colours)
    .map(([name, colour]) => `.${name} { fill: ${colour} }`)
    .join(' ')
}

/**
 * Each run stands where its column is, whatever the font.
 *
 * @param {ReturnType<typeof runs>} line
 * @param {number} row
 */
function drawn(line, row) {
  let column = 0
  return line.flatMap(({ text, name }) => {
    const start = column
    column += text.length
    const words = [...text.matchAll(/\S+(?: \S+)*/g)]
    return words.map(({ 0: word, index }) => {
      const [x, y] = [MARGIN + (start + index) * COLUMN, MARGIN + 12 + row * LINE]
      return `<text class="${name}" x="${x.toFixed(1)}" y="${y}" textLength="${(word.length * COLUMN).toFixed(1)}">${escaped(word)}</text>`
    })
  })
}

/**
 * The runs of one colour in a line.
 *
 * @param {string} line
 */
function runs(line) {
  return [...line.matchAll(/\u001b\[(\d+)m(.*?)\u001b\[0m|([^\u001b]+)/g)].map(
    ([, colour, painted, plain]) =>
      painted === undefined
        ? { text: plain ?? '', name: 'ink' }
        : { text: painted, name: `c${colour ?? ''}` },
  )
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
