// What a reading of the present does not tell of a service: its last minute, and the most connections that it and each of its
// upstreams had at once. Whoever has a timer reads; a service that is gone is forgotten.

import { sumsOf, upstreamKey, type LastMinute, type ServiceFigures, type Sums } from '../figures/index.ts'
import { Minute } from './last-minute.ts'

/** What is known of the past of a service. */
export interface ServicePast {
  readonly lastMinute: LastMinute
  /** The most connections at a look. */
  readonly peak: number
  /** The same by the keys of its upstreams. */
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
  look(services: readonly ServiceFigures[]): void {
    const pasts = this.#pasts
    this.#pasts = new Map(
      services.map(each => {
        const sums = sumsOf(each.totals)
        const past = pastOf(each, pasts?.get(each.name), pasts ? undefined : sums)
        past.minute.add(sums)
        return [each.name, past]
      }),
    )
  }

  /** The past of a service up to now. */
  of(each: ServiceFigures): ServicePast {
    const { minute, ...peaks } = pastOf(each, this.#pasts?.get(each.name))
    return { lastMinute: minute.view(), ...peaks }
  }
}

function pastOf({ totals, upstreams }: ServiceFigures, before: Past | undefined, start?: Sums): Past {
  const peaks = upstreams.map(each => {
    const key = upstreamKey(each)
    return [key, Math.max(each.active, before?.upstreamPeaks.get(key) ?? 0)] as const
  })
  return {
    minute: before?.minute ?? new Minute(start),
    peak: Math.max(totals.active, before?.peak ?? 0),
    upstreamPeaks: new Map(peaks),
  }
}
