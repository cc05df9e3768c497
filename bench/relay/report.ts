// The results as Markdown for people and as JSON for programs.

import { cpus } from 'node:os'

import { median } from '../median.ts'
import type { Sample } from './loads.ts'
import type { Measured, Plan } from './measure.ts'
import { SUBJECT } from './proxies.ts'

/** One figure of one proxy under one load. */
export interface Figure {
  readonly load: string
  readonly proxy: string
  readonly figure: string
  /** The median of all rounds. */
  readonly value: number
  /** How many times as much our relay has; the median of the rounds' own ratios. */
  readonly relayTimes: number
}

/** Everything that was measured, and on what. */
export interface Report {
  readonly node: string
  readonly cpu: string
  readonly pinned: boolean
  readonly isolated: boolean
  readonly rounds: number
  readonly scale: number
  readonly figures: readonly Figure[]
}

export interface Machine {
  /** The version that ran the proxies. */
  readonly node: string
  readonly pinned: boolean
  readonly isolated: boolean
}

export function reportOf(measured: readonly Measured[], { rounds, scale }: Plan, machine: Machine): Report {
  const figures = measured.flatMap(figuresOf)
  const cpu = cpus()[0]?.model.trim() ?? 'unknown'
  return { cpu, ...machine, rounds, scale, figures }
}

function figuresOf({ load, samples }: Measured): Figure[] {
  const subject = samples.get(SUBJECT) ?? []
  return load.figures.flatMap(({ name: figure }) => {
    const of = (sample: Sample | undefined): number => sample?.[figure] ?? NaN
    return [...samples].map(([proxy, rounds]) => ({
      load: load.name,
      proxy,
      figure,
      value: median(rounds.map(of)),
      relayTimes: median(rounds.map((sample, round) => of(subject[round]) / of(sample))),
    }))
  })
}

export function toJson(report: Report): string {
  return `${JSON.stringify(report, undefined, 2)}\n`
}

export function toMarkdown(report: Report, measured: readonly Measured[]): string {
  const { node, cpu, rounds, pinned, isolated } = report
  const how = [
    `medians of ${rounds} interleaved rounds`,
    pinned ? 'proxy and load on a CPU each' : 'processes not pinned, as there is no taskset',
    isolated ? 'in a network of its own' : "in the machine's own network",
  ]
  return [
    `# The relay beside other proxies: Node ${node}, ${cpu}`,
    `${how.join(', ')}. "relay x": how many times as much our relay has, by round.`,
    ...measured.flatMap(each => [`## ${each.load.title}`, table(each, report.figures)]),
  ].join('\n\n')
}

function table({ load, samples }: Measured, all: readonly Figure[]): string {
  const rows = [...samples.keys()].map(proxy => [
    proxy,
    ...load.figures.flatMap(({ name, digits }) => {
      const found = all.find(each => each.load === load.name && each.proxy === proxy && each.figure === name)
      return [found?.value.toFixed(digits) ?? '', found?.relayTimes.toFixed(2) ?? '']
    }),
  ])
  const head = ['proxy', ...load.figures.flatMap(({ name }) => [name, 'relay x'])]
  const line = head.map((_, at) => (at === 0 ? '---' : '--:'))
  return [head, line, ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}
