import type { DistributionView, ServiceFigures } from '../../figures/index.ts'
import type { Snapshot } from '../snapshot.ts'
import { histogram, type Labels, type Sample } from './metric.ts'

export const SECOND = 1_000

export type Extra = readonly [labels: Labels, value: number]

export function byService(read: (service: ServiceFigures) => number | readonly Extra[]) {
  return function* ({ services }: Snapshot): Generator<Sample> {
    for (const service of services) {
      const values = read(service)
      const list: readonly Extra[] = typeof values === 'number' ? [[{}, values]] : values
      for (const [labels, value] of list) yield { labels: { service: service.name, ...labels }, value }
    }
  }
}

/** No sample without a limit. */
export function finite(limit: number | undefined): number | readonly Extra[] {
  return limit === undefined || limit === Infinity ? [] : limit
}

/** Services of datagrams have none. */
export function byConnections(
  read: (service: ServiceFigures) => number | readonly Extra[],
): ReturnType<typeof byService> {
  return byService(service => (service.datagrams ? [] : read(service)))
}

export function byServiceHistogram(read: (service: ServiceFigures) => DistributionView) {
  return function* ({ services }: Snapshot): Generator<Sample> {
    for (const service of services)
      if (!service.datagrams) yield* histogram({ service: service.name }, read(service))
  }
}
