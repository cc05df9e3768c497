// A worker as the program sees it: a process that takes orders, answers each once, and may be gone at any time.

import cluster, { type Worker } from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { ConfigError } from '../../config/index.ts'
import { PlainError } from '../program.ts'
import type { Answers, Order, OrderMessage, ServeOrder, WorkerMessage } from './worker-messages.ts'

type WorkerAnswer = Extract<WorkerMessage, { readonly id: number }>

/** What a worker runs, built as this file is. */
const SCRIPT = fileURLToPath(import.meta.url).replace('worker-process', 'worker-main')

/** Milliseconds that a worker has to live for its death to count as a first one. */
const STEADY = 60_000

/** How a process ended: by a code or a signal. */
export interface ProcessEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Why this program has killed it; null where it has not. */
  readonly error: string | null
}

/** Makes this process one that has workers. */
export function prepareWorkers(): void {
  // Each worker accepts from the same socket by itself. By Node's default this process would accept, and hand each
  // connection on, which costs as much again as serving it; and with a socket for each worker (reusePort) the kernel would
  // reset what waits at the socket of one that goes away.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({ exec: SCRIPT, args: [], serialization: 'advanced' })
}

export class WorkerProcess {
  /** From 1 on; one that takes the place of another has the same. */
  readonly number: number
  readonly startedAt: number = performance.now()
  readonly ended: Promise<ProcessEnd>
  readonly #worker: Worker
  readonly #ready: Promise<void>
  readonly #open = new Map<number, (message: WorkerAnswer) => void>()
  #last = 0
  #end: string | undefined
  #givenUp: string | null = null

  /** @param onSaid is called with each line about its services. */
  constructor(number: number, onSaid: (text: string) => void) {
    this.number = number
    this.#worker = cluster.fork()
    this.#worker.on('error', () => undefined) // an order that came too late: it fails with the worker's end
    this.#ready = new Promise(resolve => {
      this.#worker.on('message', (message: WorkerMessage) => {
        if (message.type === 'ready') resolve()
        else if (message.type === 'said') onSaid(message.text)
        else this.#settle(message)
      })
    })
    this.ended = this.#ending()
  }

  get pid(): number | undefined {
    return this.#worker.process.pid
  }

  /**
   * Gives an order. A worker that is late may obey later still, when the program goes by its failure. So it is killed, unless
   * it was only asked for a report.
   *
   * @param patience milliseconds that the order may take; as long as the worker lives unless given. A drain takes as long as
   * its connections do: there the worker is late when it has sent nothing for so long.
   * @throws PlainError or ConfigError that says why it could not be done; with the worker's end it cannot.
   */
  async ask<Type extends keyof Answers>(
    order: Extract<ServeOrder | Order, { readonly type: Type }>,
    patience?: number,
  ): Promise<Answers[Type]> {
    const id = ++this.#last
    const answered = new Promise<WorkerAnswer>(resolve => this.#open.set(id, resolve))
    if (this.#end !== undefined) this.#fail(id, this.#end)
    void this.#ready.then(() => this.#worker.send({ id, order } satisfies OrderMessage))
    const late = (): void => {
      this.#fail(id, 'did not answer')
      if (order.type === 'report') return
      this.#givenUp = `it did not answer for ${String(patience)} ms`
      this.kill()
    }
    let timer: NodeJS.Timeout | undefined
    const wait = (): void => {
      clearTimeout(timer)
      if (patience !== undefined) timer = setTimeout(late, patience)
    }
    wait()
    if (order.type === 'drain') this.#worker.on('message', wait)
    const message = await answered
    this.#worker.off('message', wait)
    clearTimeout(timer)
    if (message.type === 'done') return message.answer as Answers[Type] // each order has its answer
    const { error } = message
    throw error.inConfiguration ? new ConfigError(error.message) : new PlainError(error.message)
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }

  /** Not by `once()`, which a fault of the channel would make reject. */
  async #ending(): Promise<ProcessEnd> {
    const end = await new Promise<ProcessEnd>(resolve => {
      this.#worker.once('exit', (code: number | null, signal: NodeJS.Signals | null) => {
        resolve({ code, signal, error: this.#givenUp })
      })
    })
    this.#end = end.signal === null ? `ended with ${String(end.code)}` : `ended by ${end.signal}`
    for (const id of this.#open.keys()) this.#fail(id, this.#end)
    return end
  }

  #fail(id: number, how: string): void {
    const message = `worker ${String(this.number)} ${how}`
    this.#settle({ type: 'failed', id, error: { message, inConfiguration: false } })
  }

  #settle(message: WorkerAnswer): void {
    this.#open.get(message.id)?.(message)
    this.#open.delete(message.id)
  }
}

/** Those so far and this one, of a worker that has lived so many milliseconds. */
export function deathsInARow(before: number | undefined, lived: number): number {
  return before === undefined || lived > STEADY ? 1 : before + 1
}
