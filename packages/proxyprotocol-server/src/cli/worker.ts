// A worker: serves what the program tells it to, and does nothing of its own accord. Signals are the program's business, also
// those that a terminal or a service manager sends to all of its processes; where the program is gone, Node ends its workers.

import cluster from 'node:cluster'
import { once } from 'node:events'
import process from 'node:process'
import { MAX_LISTED, ProcessFacts, type ConnectionView } from '../admin/index.ts'
import { ConfigError } from '../config/index.ts'
import { Log } from './program-log.ts'
import { explain, sharedIo } from './program.ts'
import { ServiceHost } from './service-host.ts'
import type {
  Answers,
  Order,
  OrderMessage,
  ServeOrder,
  WorkerMessage,
  WorkerReport,
} from './worker-messages.ts'

/** Serves as a worker of the program that has started this process. */
export async function runWorker(): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
  const first = once(process, 'message')
  send({ type: 'ready' })
  const [{ id, order }] = (await first) as [OrderMessage<ServeOrder>] // it comes first
  const worker = new Worker(order)
  process.on('message', (message: OrderMessage<Order>) => {
    void answer(message.id, worker.obey(message.order))
  })
  await answer(id, worker.start())
}

/** Never rejects. */
async function answer(id: number, work: Promise<Answers[keyof Answers]>): Promise<void> {
  try {
    send({ type: 'done', id, answer: await work })
  } catch (error) {
    const inConfiguration = error instanceof ConfigError
    send({ type: 'failed', id, error: { message: explain(error), inConfiguration } })
  }
}

function send(message: WorkerMessage): void {
  process.send?.(message) // there is a program that has started it
}

class Worker {
  readonly #host: ServiceHost
  readonly #facts = new ProcessFacts()

  constructor({ configuration, sockets }: ServeOrder) {
    sharedIo.log.format = configuration.log.format
    // What all workers would say alike goes to the program, which says it once.
    const told = new Log(text => {
      send({ type: 'said', text })
      return true
    })
    this.#host = new ServiceHost(sharedIo, configuration, { sockets, tellTo: { ...sharedIo, log: told } })
  }

  async start(): Promise<undefined> {
    await this.#host.start()
  }

  async obey(order: Order): Promise<Answers[Order['type']]> {
    switch (order.type) {
      case 'change':
        await this.#host.change(order.configuration)
        sharedIo.log.format = order.configuration.log.format
        return
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
        cluster.worker?.disconnect() // it waits for what is sent before, and leaves the process nothing to do
        return { result, report }
      }
    }
  }

  async #report(listing: boolean): Promise<WorkerReport> {
    const view = await this.#facts.view()
    const { readiness, services, lostLogLines } = this.#host.shown
    return {
      readiness: readiness(),
      services: services().map(service => ({
        ...service,
        totals: service.totals(),
        connections: listing ? oldest(service.connections()) : undefined,
        upstreams: service.upstreams(),
      })),
      lostLogLines: lostLogLines(),
      process: view,
    }
  }
}

function oldest(connections: Iterable<ConnectionView>): readonly ConnectionView[] {
  const list: ConnectionView[] = []
  for (const connection of connections) {
    if (list.length === MAX_LISTED) break
    list.push(connection)
  }
  return list
}
