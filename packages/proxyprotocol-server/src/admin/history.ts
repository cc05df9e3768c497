// What one reading does not show: the last minute, and the most connections that each service and upstream had at
// once.

import {
  noTotals,
  sumOfNumbers,
  sumsOf,
  upstreamKey,
  type LastMinute,
  type ServiceFigures,
  type Sums,
} from '../figures/index.ts'
import { Minute } from './last-minute.ts'
import { inSlices } from './slices.ts'

const SECOND = 1_000

export interface ServicePast {
  readonly lastMinute: LastMinute
  readonly peak: number
  readonly upstreamPeaks: ReadonlyMap<string, number>
}

interface Past extends Omit<ServicePast, 'lastMinute'> {
  readonly minute: Minute
}

export class History {
  readonly #read: () => Iterable<ServiceFigures>
  readonly #onError: (error: unknown) => void
  readonly #timer: NodeJS.Timeout
  #minute: Minute | undefined
  #pasts: ReadonlyMap<string, Past> | undefined
  #isLooking = false

  constructor(read: () => Iterable<ServiceFigures>, onError: (error: unknown) => void) {
    this.#read = read
    this.#onError = onError
    this.#timer = setInterval(() => void this.look(), SECOND).unref() // never rejects
    void this.look()
  }

  get lastMinute(): LastMinute {
    return (this.#minute ?? new Minute()).view()
  }

  of(service: ServiceFigures): ServicePast {
    const { minute, ...peaks } = pastOf(service, this.#pasts?.get(service.name))
    return { lastMinute: minute.view(), ...peaks }
  }

  /** A new service counts with all that it has. Never rejects. */
  async look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      await this.#look()
    } catch (error) {
      this.#onError(error)
    }
    this.#isLooking = false
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    const before = this.#pasts
    const after = new Map<string, Past>()
    let total = sumsOf(noTotals)
    for await (const services of inSlices(this.#read())) {
      for (const service of services) {
        const sums = sumsOf(service.totals)
        const past = pastOf(service, before?.get(service.name), before ? undefined : sums)
        past.minute.add(sums)
        after.set(service.name, past)
        total = sumOfNumbers(total, sums)
      }
    }
    this.#pasts = after
    this.#minute ??= new Minute(total)
    this.#minute.add(total)
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
