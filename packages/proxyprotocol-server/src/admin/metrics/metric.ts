// Metrics as data, and the text format of Prometheus.

import type { DistributionView } from '../../figures/index.ts'
import type { Snapshot } from '../snapshot.ts'

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Configured names and closed vocabularies, never anything from the network. */
export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels: Labels
  readonly value: number
  readonly suffix?: '_bucket' | '_sum' | '_count'
}

export interface Metric {
  /** Ends with its unit, and with `_total` if it only grows. */
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  readonly samples: (snapshot: Snapshot) => Iterable<Sample>
}

export function* exposition(metrics: readonly Metric[], snapshot: Snapshot): Generator<string> {
  let separator = ''
  for (const { name, type, help, labels, samples } of metrics) {
    const values = samples(snapshot)
    if (labels.length === 0 && [...values].length === 0) continue
    yield `${separator}# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
    for (const sample of values) yield lineOf(name, sample)
    separator = '\n'
  }
}

function lineOf(name: string, { labels, value, suffix }: Sample): string {
  let list = ''
  for (const label in labels) list += `${list && ','}${label}="${escaped(String(labels[label]))}"`
  return `${name}${suffix ?? ''}${list && `{${list}}`} ${String(value)}\n`
}

function escaped(value: string): string {
  return /[\\\n"]/.test(value)
    ? value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"')
    : value
}

export function* histogram(labels: Labels, { bounds, counts, sum }: DistributionView): Generator<Sample> {
  let value = 0
  for (const [at, count] of counts.entries()) {
    value += count
    const bound = bounds[at]
    const le = bound === undefined ? '+Inf' : String(bound / 1_000)
    yield { suffix: '_bucket', labels: { le, ...labels }, value }
  }
  yield { suffix: '_sum', labels, value: sum / 1_000 }
  yield { suffix: '_count', labels, value }
}
