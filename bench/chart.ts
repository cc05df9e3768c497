// Draws what bench:relay has written with --json: CPU time of each proxy, that of the relay being 1, by load.
//
//   npm run bench:chart -- RUN.json [FILE.svg]

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { SUBJECT } from './relay/proxies.ts'
import type { Figure, Report } from './relay/report.ts'

/** Loads with a title for each; others are left out. */
const TITLES: readonly (readonly [load: string, title: string])[] = [
  ['connections', 'a short connection'],
  ['messages', 'a round trip of 64 bytes'],
  ['up', 'a byte up'],
  ['down', 'a byte down'],
  ['both', 'a byte, both ways at once'],
  ['tls-handshakes', 'a TLS handshake'],
  ['tls-up', 'a byte up, decrypted'],
  ['tls-down', 'a byte down, encrypted'],
]
const CPU = 'CPU s'
/** Longer bars are cut, and say how long they are. */
const MOST = 3
const [WIDTH, MARGIN, NAMES, UNIT] = [720, 20, 250, 130]
const [BAR, PITCH, GAP, TOP, LABEL] = [12, 16, 12, 64, 34]
const [light, dark] = [
  { page: '#f6f8fa', ink: '#1f2328', dim: '#59636e', ours: '#0969da', other: '#afb8c1', rule: '#818b98' },
  { page: '#0d1117', ink: '#e6edf3', dim: '#9198a1', ours: '#4493f8', other: '#484f58', rule: '#7d8590' },
]
const DEFAULT_FILE = fileURLToPath(new URL('../docs/images/relay.svg', import.meta.url))

const { positionals } = parseArgs({ allowPositionals: true })
const [source, file = DEFAULT_FILE] = positionals
if (source === undefined) throw new Error('which run? npm run bench:chart -- RUN.json [FILE.svg]')
writeFileSync(file, drawing(JSON.parse(readFileSync(source, 'utf8')) as Report)) // written by toJson

function drawing({ figures, node, rounds }: Report): string {
  const parts: string[] = []
  let y = TOP
  for (const [load, title] of TITLES) {
    const bars = figures.filter(each => each.load === load && each.figure === CPU)
    if (bars.length === 0) continue
    parts.push(text(title, { x: MARGIN, y: y + BAR - 2, className: 'ink' }))
    for (const bar of bars) {
      parts.push(drawn(bar, y))
      y += PITCH
    }
    y += GAP
  }
  const one = MARGIN + NAMES + UNIT
  const heading = text('CPU time for …, the relay being 1: shorter is better', {
    x: MARGIN,
    y: 28,
    className: 'ink',
  })
  const how = text(`Node ${node}, medians of ${String(rounds)} interleaved rounds, proxies kept to one CPU`, {
    x: MARGIN,
    y: 46,
    className: 'dim',
  })
  const line = `<path class="rule" d="M${String(one)} ${String(TOP - 4)}V${String(y - GAP + 2)}"/>`
  return page(y + MARGIN - GAP, [heading, how, line, ...parts])
}

function drawn({ proxy, relayTimes }: Figure, y: number): string {
  const times = 1 / relayTimes
  const x = MARGIN + NAMES
  const width = Math.round(Math.min(times, MOST) * UNIT)
  const label = width > UNIT - LABEL && width < UNIT ? UNIT : width // not across the line
  const cut = times > MOST ? '… ' : ''
  const baseline = y + BAR - 2
  return [
    `<text class="dim" x="${String(x - 8)}" y="${String(baseline)}" text-anchor="end">${proxy}</text>`,
    `<rect class="${proxy === SUBJECT ? 'ours' : 'other'}" x="${String(x)}" y="${String(y)}" width="${String(width)}" height="${String(BAR)}"/>`,
    text(`${cut}${times.toFixed(2)}`, {
      x: x + label + 6,
      y: baseline,
      className: 'ink',
    }),
  ].join('\n')
}

function text(
  content: string,
  { x, y, className }: { readonly x: number; readonly y: number; readonly className: string },
): string {
  return `<text class="${className}" x="${String(x)}" y="${String(y)}">${content}</text>`
}

function page(height: number, parts: readonly string[]): string {
  const size = `width="${String(WIDTH)}" height="${String(height)}" viewBox="0 0 ${String(WIDTH)} ${String(height)}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="CPU time of the relay beside other proxies, by load">
<style>${rules(light)} text { font: 12px system-ui, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif } path { fill: none } @media (prefers-color-scheme: dark) { ${rules(dark)} path { fill: none } }</style>
<rect class="page" width="${String(WIDTH)}" height="${String(height)}" rx="8"/>
${parts.join('\n')}
</svg>
`
}

function rules({ rule, ...fills }: Readonly<Record<string, string>> & { readonly rule: string }): string {
  const filled = Object.entries(fills).map(([name, colour]) => `.${name} { fill: ${colour} }`)
  return [...filled, `.rule { stroke: ${rule} }`].join(' ')
}
