// The main process serves no connections.

import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import type { CloseResult } from 'proxyprotocol/server'
import { addressKey, type Configuration } from '../../config/index.ts'
import { type Readiness, sumOfCloses } from '../../figures/index.ts'
import { explain, log, PlainError, type ProgramIo } from '../program.ts'
import {
  type ChangeCounts,
  type ConnectionFilter,
  inheritedBy,
  refuseWithoutRestart,
  type Serving,
  type Shown,
} from '../services/index.ts'
import { checkListen } from './listen-check.ts'
import { changeAll, ownPart } from './own-part.ts'
import { programSignals, type ServeOrder } from './worker-messages.ts'
import { deathsInARow, prepareWorkers, type ProcessEnd, WorkerProcess } from './worker-process.ts'
import { WorkerReports } from './worker-reports.ts'

/** Doubled for each worker that died early. */
const FIRST_DELAY = 100
const LONGEST_DELAY = 30_000
/** A worker that does not obey, or is silent while it drains, is given up. */
const PATIENCE = 30_000
/** What was counted since the last report is lost with a worker. */
const LOOK_INTERVAL = 1_000
const LOOK_PATIENCE = 2_000
const END_PATIENCE = 5_000

export class WorkerGroup implements Serving {
  readonly #io: ProgramIo
  #current: Configuration
  #options: ServeOrder['options']
  readonly #serving = new Map<number, WorkerProcess>()
  readonly #alive = new Set<WorkerProcess>()
  readonly #reports = new WorkerReports()
  /** All workers report the same about services, so one is enough. */
  #speaker: WorkerProcess | undefined
  readonly #deaths = new Map<number, number>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #looks: NodeJS.Timeout | undefined
  #state: 'starting' | 'running' | 'draining' = 'starting'
  /** Starts and changes happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(io: ProgramIo, first: Configuration, options: ServeOrder['options']) {
    this.#io = io
    this.#current = first
    this.#options = options
    io.log.format = first.log.format
    process.on('exit', this.#killAll)
  }

  get shown(): Shown {
    return {
      readiness: () => this.#readiness(),
      services: () => this.#reports.services(this.#current.services),
      connections: service => this.#reports.connections(service),
      refusals: () => this.#reports.refusals,
      lostLogLines: () => this.#io.log.lost + this.#reports.lostLogLines,
      refresh: listing => this.#look(listing),
      allProcesses: own => this.#reports.allProcesses(own),
    }
  }

  get connections(): { readonly size: Promise<number> } {
    const size = this.#look(false).then(() => this.#reports.active)
    return { size }
  }

  /** The first worker alone binds new addresses and reports faults; the others share its sockets. */
  async start(): Promise<void> {
    await checkListen(this.#current.services.filter(({ name }) => !this.#options.sockets.has(name)))
    prepareWorkers()
    await this.#launch(1)
    const others = Array.from({ length: this.#current.workers - 1 }, (_, i) => this.#launch(i + 2))
    await Promise.all(others)
    await this.#look(false)
    this.#state = 'running'
    this.#looks = setInterval(() => void this.#look(false), LOOK_INTERVAL).unref()
  }

  get isEnding(): boolean {
    return this.#state === 'draining'
  }

  change(next: Configuration): Promise<ChangeCounts> {
    return this.#inTurn(() => {
      if (this.isEnding) throw new PlainError('the program is ending')
      refuseWithoutRestart(this.#current, next)
      return this.#change(next)
    })
  }

  async closeConnections(filter: ConnectionFilter): Promise<number> {
    const order = { type: 'close', filter } as const
    const counts = await Promise.all([...this.#serving.values()].map(worker => worker.ask(order, PATIENCE)))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  renew(): void {
    const workers = [...this.#serving.values()]
    void Promise.allSettled(workers.map(worker => worker.ask({ type: 'renew' }))) // one that is gone has nothing to renew
  }

  /** Also of workers that start, because they got the earlier one. */
  async renewTicketKeys(secret: Uint8Array): Promise<void> {
    this.#options = { ...this.#options, ticketSecret: secret }
    await Promise.allSettled([...this.#alive].map(worker => worker.ask({ type: 'tickets', secret })))
  }

  async close(): Promise<CloseResult> {
    this.#state = 'draining'
    this.#timers.forEach(clearTimeout)
    await this.#turn
    const ends = await Promise.allSettled([...this.#serving.values()].map(worker => this.#drain(worker)))
    const results = ends.map(end => {
      if (end.status === 'rejected') throw end.reason as Error // now that the others have had their time
      return end.value
    })
    return sumOfCloses(results)
  }

  async stop(): Promise<void> {
    this.#state = 'draining'
    clearInterval(this.#looks)
    this.#timers.forEach(clearTimeout)
    this.#killAll()
    await Promise.all([...this.#alive].map(({ ended }) => ended))
    process.off('exit', this.#killAll)
  }

  readonly #killAll = (): void => {
    for (const worker of this.#alive) worker.kill()
  }

  #inTurn<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(job)
    this.#turn = done.catch(() => undefined) // the caller gets the error
    return done
  }

  async #launch(number: number): Promise<void> {
    while (!(await this.#attempt(number)));
  }

  /** False if a signal to all processes ended the worker before it could ignore it. */
  async #attempt(number: number): Promise<boolean> {
    const worker = new WorkerProcess(number, text => {
      if (worker === this.#speaker) this.#io.log.pass(text)
    })
    this.#alive.add(worker)
    this.#speaker ??= worker
    void worker.ended.then(end => this.#onEnd(worker, end))
    try {
      const configuration = ownPart(this.#current, number)
      await worker.ask({ type: 'serve', configuration, options: this.#options }, PATIENCE)
    } catch (error) {
      worker.kill()
      const { signal } = await worker.ended
      if (signal !== null && programSignals.includes(signal)) return false
      throw error
    }
    this.#serving.set(number, worker)
    log(this.#io, 'worker-started', [
      ['worker', number],
      ['pid', worker.pid],
    ])
    return true
  }

  #onEnd(worker: WorkerProcess, end: ProcessEnd): void {
    const { number, pid, startedAt } = worker
    this.#alive.delete(worker)
    this.#reports.remove(worker)
    const served = this.#serving.get(number) === worker
    if (served) this.#serving.delete(number)
    if (this.#speaker === worker) [this.#speaker] = this.#serving.values()
    if (!served) return
    this.#io.log.write(
      'worker-ended',
      [['worker', number], ['pid', pid], ...Object.entries(end).filter(([, value]) => value !== null)],
      'error',
    )
    this.#replaceLater(number, performance.now() - startedAt)
  }

  #replaceLater(number: number, lived: number): void {
    if (this.#state === 'draining') return
    const deaths = deathsInARow(this.#deaths.get(number), lived)
    this.#deaths.set(number, deaths)
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (deaths - 1))
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      void this.#inTurn(() => this.#replace(number))
    }, delay)
    this.#timers.add(timer)
  }

  async #replace(number: number): Promise<void> {
    try {
      await this.#launch(number)
    } catch (error) {
      this.#io.log.write('failed', [['error', explain(error)]], 'error')
      // Exits without any worker left, because a supervisor may be able to do more.
      if (this.#serving.size === 0) this.#io.exit(1)
      this.#replaceLater(number, 0)
    }
  }

  /** The first worker decides for all. One that cannot follow is replaced. */
  async #change(next: Configuration): Promise<ChangeCounts> {
    const [first, ...others] = [...this.#serving.values()]
    if (!first) throw new PlainError('all workers are restarting; send SIGHUP again')
    const before = this.#current.services.map(({ listen }) => addressKey(listen))
    await checkListen(next.services.filter(({ listen }) => !before.includes(addressKey(listen))))
    const counts = await changeAll([first, ...others], next, PATIENCE)
    const sockets = inheritedBy(this.#options.sockets, this.#current.services, next.services)
    this.#options = { ...this.#options, sockets }
    this.#current = next
    this.#io.log.format = next.log.format
    return counts
  }

  async #drain(worker: WorkerProcess): Promise<CloseResult> {
    const { result, report } = await worker.ask({ type: 'drain' }, PATIENCE)
    this.#reports.add(worker, report)
    this.#serving.delete(worker.number)
    // A stuck handler or an unread log would keep it alive for ever.
    await Promise.race([worker.ended, pause(END_PATIENCE, undefined, { ref: false })])
    return result
  }

  /** A late worker keeps its last report. */
  async #look(listing: boolean): Promise<void> {
    await Promise.allSettled(
      [...this.#serving.values()].map(async worker => {
        this.#reports.add(worker, await worker.ask({ type: 'report', listing }, LOOK_PATIENCE))
      }),
    )
  }

  #readiness(): Readiness {
    const { admin } = this.#current
    return this.#state === 'running' ? this.#reports.readiness(admin?.readyNeeds) : this.#state
  }
}
