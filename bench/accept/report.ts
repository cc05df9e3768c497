// The results as Markdown for people and as JSON for programs.

import { cpus } from 'node:os'

import type { Contender, LoadKind } from './contender.ts'

/** What was measured of one contender; medians of the rounds. */
export interface Result extends Contender {
  /** CPU time of the server's process for one connection, or for one request where connections stay open. */
  readonly cpuMicroseconds: number
  /** As a multiple of the bare server's in the same round. */
  readonly cpuTimesBare: number
  readonly perSecond: number
  readonly perSecondTimesBare: number
  /** The server's CPU time by the time that passed: near 1 the server is what limits, and not the load. */
  readonly busy: number
}

/** Everything that was measured, and on what. */
export interface Report {
  readonly node: string
  readonly cpu: string
  readonly pinned: boolean
  readonly processes: number
  /** Rounds in each process. */
  readonly rounds: number
  /** Connections or requests in each round. */
  readonly operations: Readonly<Record<LoadKind, number>>
  readonly results: readonly Result[]
}

const titles: Readonly<Record<LoadKind, string>> = {
  http: 'HTTP, a connection for each request',
  net: 'TCP, 16 bytes there and back on each connection',
  'keep-alive': 'HTTP, requests on 64 open connections',
}

export function reportOf(measured: Omit<Report, 'cpu'>): Report {
  return { cpu: cpus()[0]?.model.trim() ?? 'unknown', ...measured }
}

export function toMarkdown({ node, cpu, pinned, processes, rounds, operations, results }: Report): string {
  const loads = [...new Set(results.map(({ load }) => load))]
  const tables = loads.flatMap(load => [
    `## ${titles[load]}`,
    `${operations[load].toLocaleString('en')} in each round.`,
    table(
      load,
      results.filter(result => result.load === load),
    ),
  ])
  return [
    `# Accepting: Node ${node}, ${cpu}`,
    `Medians of ${rounds} interleaved rounds in each of ${processes} processes, "x bare" by round; ${pinned ? 'server and load on a CPU each' : 'processes not pinned, as there is no taskset'}.`,
    ...tables,
  ].join('\n\n')
}

export function toJson(report: Report): string {
  return `${JSON.stringify(report, undefined, 2)}\n`
}

function table(load: LoadKind, results: readonly Result[]): string {
  const unit = load === 'keep-alive' ? 'request' : 'connection'
  const head = ['server', 'header', `CPU µs/${unit}`, 'x bare', `${unit}s/s`, 'x bare', 'busy']
  const rows = results.map(result => [
    result.server,
    result.header,
    result.cpuMicroseconds.toFixed(1),
    result.cpuTimesBare.toFixed(2),
    Math.round(result.perSecond).toLocaleString('en'),
    result.perSecondTimesBare.toFixed(2),
    `${(100 * result.busy).toFixed(0)} %`,
  ])
  return [head, ['---', '---', '--:', '--:', '--:', '--:', '--:'], ...rows]
    .map(cells => `| ${cells.join(' | ')} |`)
    .join('\n')
}
