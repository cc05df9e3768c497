// What a run saw: a table for the terminal, and the document.

import type { Direction } from './peer.ts'

/** A case and how it went; without a fault it holds. */
export interface Row {
  readonly direction: Direction | 'starts'
  readonly name: string
  readonly showed?: string
  readonly fault?: string
}

const directions: readonly Direction[] = ['sends', 'receives', 'chain', 'decodes', 'checks', 'resolves']

export interface PeerReport {
  readonly name: string
  /** What its programs say of their versions. */
  readonly versions: readonly string[]
  readonly rows: readonly Row[]
  /** Why it cannot be had. */
  readonly missing?: string
}

const INTRODUCTION = `# Interoperability

Written by \`npm run interop -- --full\` when all cases held. It runs this library and the relay with other software, Debian's
packages, all of it on the loopback addresses of one machine. [How it works, and how to add a peer](../interop/README.md).

- **sends**: the peer is in front of our servers; what they have learnt of the client is held against the client's own two ends.
- **receives**: the peer is behind our clients and our relay; it must answer, or log, the client that was announced.
- **chain**: several in a row, the relay among them. **decodes**: the peer reads what we have made.
- **checks**: the relay checks the health of the peer, and the peer logs no fault.
- **resolves**: the relay asks the peer for names, and follows its answers.

The numbers are cases; each stands below with what was seen.
`

/** One peer's cases for a terminal. */
export function toTable({ name, versions, rows, missing }: PeerReport): string {
  if (missing !== undefined) return `\n*** ${name} is LEFT OUT: ${missing} ***\n`
  const width = Math.max(...rows.map(row => row.name.length))
  const lines = rows.map(row => {
    const result = row.fault === undefined ? `ok    ${row.showed ?? ''}` : `FAIL  ${row.fault}`
    return `  ${row.direction.padEnd(9)}${row.name.padEnd(width)}  ${result}`
  })
  return [`\n${name}: ${versions.join('; ')}`, ...lines].join('\n')
}

export function toMarkdown(reports: readonly PeerReport[]): string {
  return [INTRODUCTION, summary(reports), ...reports.map(details)].join('\n\n')
}

function summary(reports: readonly PeerReport[]): string {
  const head = [
    '| peer | programs | sends | receives | chain | decodes | checks | resolves |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ]
  const lines = reports.map(({ name, versions, rows }) => {
    const counts = directions.map(each =>
      String(rows.filter(({ direction }) => direction === each).length || ''),
    )
    return `| [${name}](#${name}) | ${versions.join('<br>')} | ${counts.join(' | ')} |`
  })
  return [...head, ...lines].join('\n')
}

function details({ name, rows }: PeerReport): string {
  const lines = rows.map(({ direction, name: what, showed = '' }) => `| ${direction} | ${what} | ${showed} |`)
  return [`## ${name}\n`, '| direction | case | saw |', '| --- | --- | --- |', ...lines].join('\n')
}
