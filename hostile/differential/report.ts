// Says what came of the comparison: on the terminal, and as the tables of docs/differential.md.

import { readFileSync, writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { fileURLToPath } from 'node:url'

import type { Comparison } from './compare.ts'
import { reasons, type Disagreement } from './reasons.ts'

const PAGE = fileURLToPath(new URL('../../docs/differential.md', import.meta.url))
const MARKER = '<!-- written by npm run differential -->'
const EXAMPLE_BYTES = 48

/** The lines for a terminal. */
export function summaryOf({ peer, total, accepted, refused, explained, unexplained }: Comparison): string {
  const written = [...explained.values()].flat().length
  return (
    `${peer.name} ${peer.version}: ${total} headers, ${accepted} accepted by both, ${refused} refused by both, ` +
    `${written} disagreements in the list, ${unexplained.length} not`
  )
}

/** A disagreement that no reason covers. */
export function faultOf({ peer, header, ours, theirs }: Disagreement): string {
  const verdict = JSON.stringify(theirs)
  return `${peer}: we ${JSON.stringify(ours)}, they ${verdict}\n  ${Buffer.from(header).toString('hex')}`
}

/** Puts the tables in place of those behind the marker. */
export async function writePage(comparisons: readonly Comparison[]): Promise<void> {
  const [head = ''] = readFileSync(PAGE, 'utf8').split(MARKER)
  const text = `${head}${MARKER}\n\n${peerTable(comparisons)}\n\n${reasonTable(comparisons)}\n`
  const options = await resolveConfig(PAGE)
  writeFileSync(PAGE, await format(text, { ...options, parser: 'markdown' }))
}

function peerTable(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ peer, total, accepted, refused, explained }) =>
    row(peer.name, peer.version, total, accepted, refused, [...explained.values()].flat().length),
  )
  const head = row('peer', 'version', 'headers', 'both accept', 'both refuse', 'differ')
  return [head, '| --- | --- | --- | --- | --- | --- |', ...rows].join('\n')
}

function reasonTable(comparisons: readonly Comparison[]): string {
  const rows = reasons.flatMap(reason => {
    const found = comparisons.flatMap(({ explained }) => explained.get(reason) ?? [])
    const [first] = found.toSorted((a, b) => a.header.length - b.header.length)
    return first
      ? [row(reason.peers.join(', '), reason.they, reason.we, found.length, `\`${exampleOf(first.header)}\``)]
      : []
  })
  const head = row('peer', 'it', 'this library', 'headers', 'the shortest')
  return [head, '| --- | --- | --- | --- | --- |', ...rows].join('\n')
}

function row(...cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`
}

/** A line as the text that it is, anything else in hexadecimal. */
function exampleOf(header: Uint8Array): string {
  if (header[0] === 0x50) {
    const text = JSON.stringify(Buffer.from(header).toString('latin1')).slice(1, -1)
    return text.replaceAll('|', '\\|').replaceAll('`', "'")
  }
  const shown = Buffer.from(header.slice(0, EXAMPLE_BYTES)).toString('hex')
  return header.length > EXAMPLE_BYTES ? `${shown}...` : shown
}
