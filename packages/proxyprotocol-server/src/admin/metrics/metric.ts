// A metric as data: its name, what it means and where its values come from. Each answer is made from a registry of its
// own, so that nothing is ever counted twice, however often and by how many it is asked for.

import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { DistributionView } from '../../figures/index.ts'
import type { Snapshot } from '../snapshot.ts'

/** Values of labels by name: configured names and closed vocabularies, never anything from the network. */
export type Labels = Readonly<Record<string, string>>

/** One value of a metric. */
export interface Sample {
  readonly labels: Labels
  readonly value: number
}

/** One distribution of a histogram, in milliseconds. */
export interface DistributionSample {
  readonly labels: Labels
  readonly distribution: DistributionView
}

interface MetricBase {
  /** With its unit as its end, and `_total` for what only grows. */
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
}

/** A number, or a distribution. */
export type Metric =
  | (MetricBase & {
      readonly type: 'counter' | 'gauge'
      readonly samples: (snapshot: Snapshot) => readonly Sample[]
    })
  | (MetricBase & {
      readonly type: 'histogram'
      readonly samples: (snapshot: Snapshot) => readonly DistributionSample[]
    })

/** The text that Prometheus reads, and its media type. */
export async function exposition(
  metrics: readonly Metric[],
  snapshot: Snapshot,
): Promise<{ readonly text: string; readonly contentType: string }> {
  const registry = new Registry()
  for (const metric of metrics) {
    // prom-client gives what has no labels a value of its own accord, and 0 is not unknown.
    const unknown = metric.labels.length === 0 && metric.samples(snapshot).length === 0
    if (!unknown) register(registry, metric, snapshot)
  }
  return { text: await registry.metrics(), contentType: registry.contentType }
}

function register(registry: Registry, metric: Metric, snapshot: Snapshot): void {
  const { name, help } = metric
  const options = { name, help, labelNames: [...metric.labels], registers: [registry] }
  switch (metric.type) {
    case 'counter': {
      const counter = new Counter(options)
      for (const { labels, value } of metric.samples(snapshot)) counter.inc(labels, value)
      return
    }
    case 'gauge': {
      const gauge = new Gauge(options)
      for (const { labels, value } of metric.samples(snapshot)) gauge.set(labels, value)
      return
    }
    case 'histogram':
      new CountedHistogram(options, metric.samples(snapshot))
  }
}

type HistogramOptions = ConstructorParameters<typeof Histogram<string>>[0]
type HistogramValues = Awaited<ReturnType<Histogram['get']>>

/** A histogram that was counted elsewhere; prom-client's own only takes one value after the other. */
class CountedHistogram extends Histogram {
  readonly #exposed: Pick<HistogramValues, 'name' | 'help' | 'values'>

  constructor(options: HistogramOptions, samples: readonly DistributionSample[]) {
    super(options)
    const { name, help } = options
    this.#exposed = { name, help, values: samples.flatMap(sample => histogramValues(name, sample)) }
  }

  /** What the registry asks for, by the name that it asks by. */
  async getForPromString(): Promise<
    Pick<HistogramValues, 'name' | 'help' | 'values'> & { type: 'histogram' }
  > {
    return Promise.resolve({ ...this.#exposed, type: 'histogram' })
  }
}

/** In seconds, each bucket with all those below it, as Prometheus wants them. */
function histogramValues(
  name: string,
  { labels, distribution }: DistributionSample,
): HistogramValues['values'] {
  const { bounds, counts, sum } = distribution
  let count = 0
  const buckets = counts.map((each, i) => {
    count += each
    const bound = bounds[i]
    const le = bound === undefined ? '+Inf' : bound / 1_000
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum / 1_000 },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
