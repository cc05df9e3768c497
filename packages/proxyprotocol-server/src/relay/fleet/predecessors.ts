// So that a service's counters never go back at a reload.

import {
  endedService,
  formerService,
  shownService,
  sumOfServices,
  type LiveConnection,
  type ServiceFigures,
} from '../../figures/index.ts'
import { RelayServer } from '../relay-server.ts'
import { figuresOf } from '../service-figures.ts'
import type { ServiceRelay } from '../datagrams/index.ts'

interface Former {
  readonly draining: Set<ServiceRelay>
  ended: ServiceFigures | undefined
}

export class Predecessors {
  readonly #former = new Map<string, Former>()

  add(relay: ServiceRelay): void {
    const { name } = relay.service
    const former = this.#former.get(name) ?? { draining: new Set(), ended: undefined }
    former.draining.add(relay)
    this.#former.set(name, former)
  }

  async end(relay: ServiceRelay): Promise<void> {
    const { server } = relay
    const upstreams = server instanceof RelayServer ? await server.upstreams() : relay.upstreams()
    const former = this.#former.get(relay.service.name) as Former // it was added
    former.draining.delete(relay)
    const figures = endedService(figuresOf(relay, upstreams))
    former.ended = former.ended ? sumOfServices(former.ended, figures) : figures
  }

  figures(current: ServiceRelay): ServiceFigures {
    const now = figuresOf(current)
    const former = this.#former.get(now.name)
    return former ? shownService(sumOfServices(now, sumOf(former)), now) : now
  }

  *past(): Generator<ServiceFigures> {
    for (const former of this.#former.values()) yield sumOf(former)
  }

  *connections(name: string): Generator<LiveConnection> {
    for (const { connections } of this.#former.get(name)?.draining ?? []) yield* connections()
  }
}

function sumOf({ draining, ended }: Former): ServiceFigures {
  const all = [...draining].map(relay => formerService(figuresOf(relay)))
  return [...all, ...(ended ? [ended] : [])].reduce(sumOfServices)
}
