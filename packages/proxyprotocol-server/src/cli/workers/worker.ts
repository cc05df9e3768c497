// The program handles signals. Without the program, Node ends its workers.

import cluster from 'node:cluster'
import { once } from 'node:events'
import process from 'node:process'
import { inSlices, listedConnections, ProcessFacts } from '../../admin/index.ts'
import { ConfigError, type Configuration } from '../../config/index.ts'
import type { LiveConnection, ProcessFigures, ServiceFigures } from '../../figures/index.ts'
import { Log } from '../../log/index.ts'
import { explain, processIo } from '../program.ts'
import { type ChangeCounts, ServiceHost, type Shown } from '../services/index.ts'
import {
  type Answers,
  type Order,
  type OrderMessage,
  programSignals,
  type ServeOrder,
  type WorkerMessage,
  type WorkerReport,
} from './worker-messages.ts'

export async function runWorker(): Promise<void> {
  for (const signal of programSignals) process.on(signal, () => undefined)
  const first = once(process, 'message')
  send({ type: 'ready' })
  const [{ id, order }] = (await first) as [OrderMessage<ServeOrder>] // it comes first
  const worker = new Worker(order)
  process.on('message', (message: OrderMessage<Order>) => {
    void answer(message.id, worker.obey(message.order))
  })
  await answer(id, worker.start())
}

async function answer(id: number, work: Promise<Answers[keyof Answers]>): Promise<void> {
  try {
    send({ type: 'done', id, answer: await work })
  } catch (error) {
    const inConfiguration = error instanceof ConfigError
    send({ type: 'failed', id, error: { message: explain(error), inConfiguration } })
  }
}

function send(message: WorkerMessage): void {
  // If the program is gone or this worker has drained, no answer is needed.
  process.send?.(message, undefined, undefined, () => undefined)
}

class Worker {
  readonly #host: ServiceHost
  readonly #facts = new ProcessFacts()

  constructor({ configuration, options }: ServeOrder) {
    processIo.log.format = configuration.log.format
    // Lines that all workers would write go to the program, which writes them once.
    const told = new Log(text => {
      send({ type: 'said', text })
    })
    this.#host = new ServiceHost(processIo, configuration, {
      ...options,
      tellTo: { ...processIo, log: told },
    })
  }

  async start(): Promise<undefined> {
    await this.#host.start()
  }

  async obey(order: Order): Promise<Answers[Order['type']]> {
    switch (order.type) {
      case 'change':
        return this.#change(order)
      case 'renew':
        this.#host.renew()
        return
      case 'tickets':
        await this.#host.renewTicketKeys(order.secret)
        return
      case 'report':
        return this.#report(order.listing)
      case 'close':
        return this.#host.closeConnections(order.filter)
      case 'drain': {
        const result = await this.#host.close()
        const report = await this.#report(true)
        await this.#host.stop()
        this.#facts.stop()
        cluster.worker?.disconnect() // it waits for earlier messages, and leaves the process without work
        return { result, report }
      }
    }
  }

  async #change({
    configuration,
    isFirst,
  }: {
    readonly configuration: Configuration
    readonly isFirst: boolean
  }): Promise<ChangeCounts> {
    const counts = await this.#host.change(
      configuration,
      ({ datagrams }) => isFirst || datagrams !== undefined,
    )
    processIo.log.format = configuration.log.format
    return counts
  }

  async #report(listing: boolean): Promise<WorkerReport> {
    return reportOf(this.#host.shown, await this.#facts.view(), listing)
  }
}

/** In slices, so that a report does not delay relayed connections. */
export async function reportOf(shown: Shown, facts: ProcessFigures, listing: boolean): Promise<WorkerReport> {
  const services: ServiceFigures[] = []
  for await (const slice of inSlices(shown.services())) services.push(...slice)
  return {
    readiness: shown.readiness(),
    services,
    connections: listing ? await listingOf(services, shown) : undefined,
    refusals: shown.refusals(),
    lostLogLines: shown.lostLogLines(),
    process: facts,
  }
}

async function listingOf(
  services: readonly ServiceFigures[],
  { connections }: Shown,
): Promise<ReadonlyMap<string, readonly LiveConnection[]>> {
  const lists = new Map<string, LiveConnection[]>()
  for await (const slice of inSlices(listedConnections(services, connections))) {
    for (const [service, connection] of slice) {
      const list = lists.get(service)
      if (list) list.push(connection)
      else lists.set(service, [connection])
    }
  }
  return lists
}
