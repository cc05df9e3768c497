// Checks one upstream from time to time: connects, perhaps says that it speaks for itself, and leaves quietly. The next
// check is set only when one is over, so that two never meet.

import type { LookupFunction, Socket } from 'node:net'
import type { HeaderInit } from 'proxyprotocol'
import { connect } from 'proxyprotocol/client'
import { placeOf, type ActiveCheck, type SentHeader } from '../../config/index.ts'
import { isUpstreamFault } from './upstream-fault.ts'
import type { UpstreamTls } from './upstream-tls.ts'
import type { Upstream } from './upstream.ts'

/** What checks need. */
export interface HealthCheckOptions {
  readonly check: ActiveCheck
  readonly lookup: LookupFunction
  readonly tls: UpstreamTls
}

/** Names no client: LOCAL, and in version 1, which has no LOCAL, UNKNOWN. */
const HEADERS: Readonly<Record<SentHeader, HeaderInit | undefined>> = {
  v2: { command: 'LOCAL' },
  v1: { version: 1, family: 'UNSPEC' },
  none: undefined,
}

export class HealthCheck {
  readonly #upstream: Upstream
  readonly #options: HealthCheckOptions
  readonly #stopped = new AbortController()
  #timer: NodeJS.Timeout | undefined

  constructor(upstream: Upstream, options: HealthCheckOptions) {
    this.#upstream = upstream
    this.#options = options
  }

  /** Starts within one interval, at random, so that all that were started together do not check together. */
  start(): void {
    this.#checkIn(Math.random() * this.#options.check.interval)
  }

  /** Ends the check that is under way, too; it counts for nothing then. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#stopped.abort()
  }

  #checkIn(milliseconds: number): void {
    this.#timer = setTimeout(() => void this.#run(), milliseconds).unref()
  }

  async #run(): Promise<void> {
    const { check } = this.#options
    const fault = await this.#check()
    if (this.#stopped.signal.aborted) return
    // Whoever has no descriptor left for a check has learned nothing about the upstream.
    if (fault === undefined || isUpstreamFault(fault)) this.#upstream.checked(check, fault)
    this.#checkIn(check.interval)
  }

  /** Resolves with what went wrong, once the connection is gone. */
  async #check(): Promise<unknown> {
    const { check, lookup, tls } = this.#options
    const { settings } = this.#upstream
    const { timeout } = check
    const { signal } = this.#stopped
    try {
      const target = { ...placeOf(settings.address), tls: tls.optionsFor(settings) }
      const header = check.header ? HEADERS[settings.header] : undefined
      const socket = await connect({ ...target, lookup, timeout, signal }, header)
      await leave(socket, { timeout, signal })
      return undefined
    } catch (error) {
      return error
    }
  }
}

/**
 * Ends, and waits for the other side to do so. What it says meanwhile is read, for closing on unread bytes would be a
 * reset; so would be a reset from there, which is no fault either: it has accepted.
 */
function leave(socket: Socket, options: { timeout: number; signal: AbortSignal }): Promise<void> {
  return new Promise(resolve => {
    function giveUp(): void {
      socket.destroy()
    }
    const timer = setTimeout(giveUp, options.timeout).unref()
    options.signal.addEventListener('abort', giveUp)
    socket
      .on('error', () => undefined)
      .on('close', () => {
        clearTimeout(timer)
        options.signal.removeEventListener('abort', giveUp)
        resolve()
      })
      .resume()
      .end()
  })
}
