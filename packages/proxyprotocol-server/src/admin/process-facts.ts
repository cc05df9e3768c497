// The process itself: memory, processor, open files, and how late its event loop comes round.

import { readdir } from 'node:fs/promises'
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import { descriptorLimit } from 'proxyprotocol/server'
import type { ProcessFigures } from '../figures/index.ts'

const RESOLUTION = 20
/** A delay at the start is of no interest a day later. */
const MINUTE = 60_000

/** The clock minus the uptime would differ from look to look. */
const STARTED_AT = new Date(performance.timeOrigin).toISOString()

export class ProcessFacts {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION })
  readonly #maxFiles = descriptorLimit()
  #memory = process.memoryUsage()
  readonly #timer: NodeJS.Timeout

  constructor(minute: number = MINUTE) {
    this.#delay.enable()
    this.#timer = setInterval(() => this.#delay.reset(), minute).unref()
  }

  async view(): Promise<ProcessFigures> {
    const { user, system } = process.cpuUsage()
    const { rss, heapUsed } = this.#readMemory()
    return {
      pid: process.pid,
      node: process.version,
      startedAt: STARTED_AT,
      uptime: process.uptime() * 1_000,
      cpu: (user + system) / 1_000,
      residentMemory: rss,
      heapUsed,
      openFiles: await openFiles(),
      maxFiles: this.#maxFiles,
      eventLoopDelay: {
        p50: this.#late(this.#delay.percentile(50)),
        p99: this.#late(this.#delay.percentile(99)),
        max: this.#late(this.#delay.max),
      },
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#delay.disable()
  }

  #readMemory(): NodeJS.MemoryUsage {
    try {
      this.#memory = process.memoryUsage()
    } catch {
      // The process goes on without it.
    }
    return this.#memory
  }

  #late(nanoseconds: number): number {
    return this.#delay.count === 0 ? 0 : Math.max(0, nanoseconds / 1e6 - RESOLUTION)
  }
}

/** One of them is the folder that is being read. */
export async function openFiles(folder = '/proc/self/fd'): Promise<number | undefined> {
  try {
    return (await readdir(folder)).length - 1
  } catch {
    return undefined
  }
}
