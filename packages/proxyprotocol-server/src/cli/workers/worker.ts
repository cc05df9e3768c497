// The program handles signals. Without the program, Node ends its workers.

import cluster from 'node:cluster'
import { once } from 'node:events'
import process from 'node:process'
import { MAX_LISTED, ProcessFacts } from '../../admin/index.ts'
import { ConfigError, type Configuration } from '../../config/index.ts'
import { Log } from '../../log/index.ts'
import { explain, processIo } from '../program.ts'
import { type ChangeCounts, ServiceHost } from '../services/index.ts'
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

  constructor({ configuration, sockets }: ServeOrder) {
    processIo.log.format = configuration.log.format
    // Lines that all workers would write go to the program, which writes them once.
    const told = new Log(text => {
      send({ type: 'said', text })
    })
    this.#host = new ServiceHost(processIo, configuration, { sockets, tellTo: { ...processIo, log: told } })
  }

  async start(): Promise<undefined> {
    await this.#host.start()
  }

  async obey(order: Order): Promise<Answers[Order['type']]> {
    switch (order.type) {
      case 'change':
        return this.#change(order.configuration)
      case 'renew':
        this.#host.renew()
        return
      case 'report':
        return this.#report(order.listing)
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

  async #change(configuration: Configuration): Promise<ChangeCounts> {
    const counts = await this.#host.change(configuration)
    processIo.log.format = configuration.log.format
    return counts
  }

  async #report(listing: boolean): Promise<WorkerReport> {
    const view = await this.#facts.view()
    const { readiness, services: read, connections: list, lostLogLines } = this.#host.shown
    const services = [...read()]
    const connections = services.map(({ name }) => [name, firstOf(list(name), MAX_LISTED)] as const)
    return {
      readiness: readiness(),
      services,
      connections: listing ? new Map(connections) : undefined,
      lostLogLines: lostLogLines(),
      process: view,
    }
  }
}

/** So that a report cannot delay the worker. */
export function firstOf<Item>(items: Iterable<Item>, most: number): readonly Item[] {
  const first: Item[] = []
  for (const item of items) if (first.push(item) === most) break
  return first
}
