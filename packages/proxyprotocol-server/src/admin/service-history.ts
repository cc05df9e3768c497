// What a reading of the present does not tell of a service: its last minute, and the most connections that it and each of its
// upstreams had at once. Whoever has a timer reads; a service that is gone is forgotten.

import { Minute, type LastMinute } from './last-minute.ts'
import { sumsOf, type ServiceSnapshot } from './snapshot.ts'

/** What is known of the past of a service. */
export interface ServicePast {
  readonly lastMinute: LastMinute
  /** The most connections at a look. */
  readonly peak: number
  /** The same by the names of its upstreams. */
  readonly upstreamPeaks: ReadonlyMap<string, number>
}

interface Past {
  readonly minute: Minute
  readonly peak: number
  readonly upstreamPeaks: ReadonlyMap<string, number>
}

export class ServiceHistory {
  #pasts: ReadonlyMap<string, Past> = new Map()

  /** A second is over. */
  look(services: readonly ServiceSnapshot[]): void {
    this.#pasts = new Map(
      services.map(each => {
        const before = this.#pasts.get(each.service.name)
        before?.minute.add(sumsOf([each.totals]))
        return [each.service.name, pastOf(each, before)]
      }),
    )
  }

  /** The past of a service up to now. */
  of(each: ServiceSnapshot): ServicePast {
    const { minute, ...peaks } = pastOf(each, this.#pasts.get(each.service.name))
    return { lastMinute: minute.view(), ...peaks }
  }
}

function pastOf({ totals, upstreams }: ServiceSnapshot, before: Past | undefined): Past {
  const peaks = upstreams.map(({ name, active }) => {
    return [name, Math.max(active, before?.upstreamPeaks.get(name) ?? 0)] as const
  })
  return {
    minute: before?.minute ?? new Minute(sumsOf([totals])),
    peak: Math.max(totals.active, before?.peak ?? 0),
    upstreamPeaks: new Map(peaks),
  }
}
