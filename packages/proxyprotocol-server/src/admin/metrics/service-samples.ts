// Samples about services: each has the configured name of its service as a label.

import type { ServiceFigures } from '../../figures/index.ts'
import type { Snapshot } from '../snapshot.ts'
import type { Labels, Sample } from './metric.ts'

/** Milliseconds. */
export const SECOND = 1_000

export type Extra = readonly [labels: Labels, value: number]

/** One sample for each service, or several with labels of their own. */
export function byService(
  read: (service: ServiceFigures) => number | readonly Extra[],
): (snapshot: Snapshot) => readonly Sample[] {
  return ({ services }: Snapshot): readonly Sample[] =>
    services.flatMap(each => {
      const { name } = each
      const values = read(each)
      const list: readonly Extra[] = typeof values === 'number' ? [[{}, values]] : values
      return list.map(([labels, value]) => ({ labels: { service: name, ...labels }, value }))
    })
}
