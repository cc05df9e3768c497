// A worker as the program sees it: a process that answers each order once, and may die at any time.

import cluster, { type Worker } from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { ConfigError } from '../../config/index.ts'
import { PlainError } from '../program.ts'
import type { Answers, Order, OrderMessage, ServeOrder, WorkerMessage } from './worker-messages.ts'

type WorkerAnswer = Extract<WorkerMessage, { readonly id: number }>

const SCRIPT = fileURLToPath(import.meta.url).replace('worker-process', 'worker-main')

const STEADY = 60_000

export interface ProcessEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly error: string | null
}

export function prepareWorkers(): void {
  // Node's default doubles the cost of accepting. With a socket per worker (reusePort) the kernel would reset pending
  // connections of one that exits.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({ exec: SCRIPT, args: [], serialization: 'advanced' })
}

export class WorkerProcess {
  readonly number: number
  readonly startedAt: number = performance.now()
  readonly ended: Promise<ProcessEnd>
  readonly #worker: Worker
  readonly #ready: Promise<void>
  readonly #open = new Map<number, (message: WorkerAnswer) => void>()
  #last = 0
  #end: string | undefined
  #givenUp: string | null = null

  constructor(number: number, onSaid: (text: string) => void) {
    this.number = number
    this.#worker = cluster.fork()
    this.#worker.on('error', () => undefined) // the order came too late, and fails with the worker's end
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

  /** A late worker might obey after the program has assumed failure, so it is killed, except for a report. */
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

  /** Not by `once()`, which would reject on a fault of the channel. */
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

export function deathsInARow(before: number | undefined, lived: number): number {
  return before === undefined || lived > STEADY ? 1 : before + 1
}
