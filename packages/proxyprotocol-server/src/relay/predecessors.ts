// The relays that a service had before the one of now, so that its counters never go back at a reload.

import {
  endedService,
  formerService,
  shownService,
  sumOfServices,
  type LiveConnection,
  type ServiceFigures,
} from '../figures/index.ts'
import type { Relay } from './relay.ts'
import { figuresOf } from './service-figures.ts'

interface Former {
  /** Relays that still have connections. */
  readonly draining: Set<Relay>
  /** The sum of those that have ended. */
  ended: ServiceFigures | undefined
}

export class Predecessors {
  /** By the name of the service. */
  readonly #former = new Map<string, Former>()

  /** This relay no longer listens. */
  add(relay: Relay): void {
    const { name } = relay.service
    const former = this.#former.get(name) ?? { draining: new Set(), ended: undefined }
    former.draining.add(relay)
    this.#former.set(name, former)
  }

  /** This relay has no connections left. */
  end(relay: Relay): void {
    const former = this.#former.get(relay.service.name) as Former // it was added
    former.draining.delete(relay)
    const figures = endedService(figuresOf(relay))
    former.ended = former.ended ? sumOfServices(former.ended, figures) : figures
  }

  /** The figures of a service over all its relays; `current` is the one that listens. */
  figures(current: Relay): ServiceFigures {
    const now = figuresOf(current)
    const former = this.#former.get(now.name)
    return former ? shownService(sumOfServices(now, sumOf(former)), now) : now
  }

  /** The figures of former relays alone, for each service that had some. */
  *past(): Generator<ServiceFigures> {
    for (const former of this.#former.values()) yield sumOf(former)
  }

  /** The connections of former relays. */
  *connections(name: string): Generator<LiveConnection> {
    for (const { connections } of this.#former.get(name)?.draining ?? []) yield* connections()
  }
}

function sumOf({ draining, ended }: Former): ServiceFigures {
  const all = [...draining].map(relay => formerService(figuresOf(relay)))
  return [...all, ...(ended ? [ended] : [])].reduce(sumOfServices)
}
