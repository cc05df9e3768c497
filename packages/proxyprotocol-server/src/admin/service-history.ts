// What a reading of the present does not tell of a service: its last minute, and the most connections that it and each of its
// upstreams had at once. Whoever has a timer reads; a service that is gone is forgotten.

import { Minute, type LastMinute, type Sums } from './last-minute.ts'
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
  /** Undefined before the first look, which sees services that may be old. */
  #pasts: ReadonlyMap<string, Past> | undefined

  /** A second is over: a service that was not there before has come within it, with all that it tells. */
  look(services: readonly ServiceSnapshot[]): void {
    const pasts = this.#pasts
    this.#pasts = new Map(
      services.map(each => {
        const sums = sumsOf([each.totals])
        const past = pastOf(each, pasts?.get(each.service.name), pasts ? undefined : sums)
        past.minute.add(sums)
        return [each.service.name, past]
      }),
    )
  }

  /** The past of a service up to now. */
  of(each: ServiceSnapshot): ServicePast {
    const { minute, ...peaks } = pastOf(each, this.#pasts?.get(each.service.name))
    return { lastMinute: minute.view(), ...peaks }
  }
}

function pastOf({ totals, upstreams }: ServiceSnapshot, before: Past | undefined, start?: Sums): Past {
  const peaks = upstreams.map(({ name, active }) => {
    return [name, Math.max(active, before?.upstreamPeaks.get(name) ?? 0)] as const
  })
  return {
    minute: before?.minute ?? new Minute(start),
    peak: Math.max(totals.active, before?.peak ?? 0),
    upstreamPeaks: new Map(peaks),
  }
}
