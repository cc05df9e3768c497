// The results as Markdown for people and as JSON for programs.

import { cpus } from 'node:os'

import { footnotes, type Note, type Row } from './contender.ts'

/** What was measured of one contender at one task. */
export interface Result {
  readonly task: Row<never>['task']
  readonly name: string
  readonly contender: string
  readonly notes: readonly Note[]
  readonly nanoseconds: number
  /** Its time as a multiple of ours in the same row and round, the median of the rounds. */
  readonly timesOurs: number
  readonly bytesAllocated: number
}

/** Everything that was measured, and on what. */
export interface Report {
  readonly node: string
  readonly cpu: string
  readonly rounds: number
  readonly results: readonly Result[]
}

export function reportOf(rounds: number, results: readonly Result[]): Report {
  return { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', rounds, results }
}

export function toMarkdown({ node, cpu, rounds, results }: Report): string {
  const of = (task: Result['task']): readonly Result[] => results.filter(result => result.task === task)
  return [
    `# Codec: Node ${node}, ${cpu}`,
    `CPU time, the median of ${String(rounds)} interleaved rounds. "times ours" above 1 means that we are faster. Bytes are those allocated per operation, inside and outside the heap.`,
    `## Decode: both addresses as text and both ports, read`,
    table(of('decode')),
    `## Decode in pieces, of which the first row takes one (proxyprotocol)`,
    table(of('stream')),
    `## Encode: bytes for a socket from both addresses and both ports`,
    table(of('encode')),
    `## Refuse or wait for more (proxyprotocol)`,
    table(of('refuse')),
    Object.entries(footnotes)
      .map(([key, text]) => `${key}) ${text}`)
      .join('\n\n'),
  ].join('\n\n')
}

export function toJson(report: Report): string {
  return `${JSON.stringify(report, undefined, 2)}\n`
}

function table(results: readonly Result[]): string {
  const rows = results.map(result => {
    const perSecond = Math.round(1e9 / result.nanoseconds).toLocaleString('en')
    const contender = [result.contender, ...result.notes.map(note => `${note})`)].join(' ')
    const numbers = [result.nanoseconds.toFixed(0), perSecond, result.timesOurs.toFixed(2)]
    return [result.name, contender, ...numbers, String(result.bytesAllocated)]
  })
  const head = ['header', 'by', 'ns/op', 'ops/s', 'times ours', 'bytes']
  return [head, ['---', '---', '--:', '--:', '--:', '--:'], ...rows]
    .map(cells => `| ${cells.join(' | ')} |`)
    .join('\n')
}
