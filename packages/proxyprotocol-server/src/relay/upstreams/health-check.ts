// Without checks, only a marked member is tried, so that no client tests it.

import type { Socket } from 'node:net'
import type { HeaderInit } from 'proxyprotocol'
import { connect } from 'proxyprotocol/client'
import { endpointOptions, poolDefaults, type ActiveCheck, type SentHeader } from '../../config/index.ts'
import type { Member } from './member.ts'
import { isUpstreamFault } from './upstream-fault.ts'
import type { UpstreamTls } from './upstream-tls.ts'

export interface HealthCheckOptions {
  readonly check: ActiveCheck | undefined
  readonly cooldown: number
  readonly patience: number
  readonly tls: UpstreamTls
}

/** Names no client; version 1 has no LOCAL. */
const HEADERS: Readonly<Record<SentHeader, HeaderInit | 'none'>> = {
  v2: { command: 'LOCAL' },
  v1: { version: 1, family: 'UNSPEC' },
  none: 'none',
}

export class HealthCheck {
  readonly #member: Member
  readonly #options: HealthCheckOptions
  readonly #stopped = new AbortController()
  #started = false
  #running = false
  #timer: NodeJS.Timeout | undefined

  constructor(member: Member, options: HealthCheckOptions) {
    this.#member = member
    this.#options = options
  }

  /** At a random time, so that checks spread. */
  start(): void {
    this.#started = true
    const { check } = this.#options
    if (check) this.#runIn(Math.random() * check.interval)
    else this.reconsider()
  }

  reconsider(): void {
    const { check, cooldown } = this.#options
    if (check || !this.#started || this.#running || !this.#member.isMarked) return
    this.#runIn(cooldown)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#stopped.abort()
  }

  #runIn(milliseconds: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#run(), milliseconds).unref()
  }

  async #run(): Promise<void> {
    const { check } = this.#options
    if (!check && !this.#member.isMarked) return // a client was served by it
    this.#running = true
    const fault = await this.#try()
    this.#running = false
    if (this.#stopped.signal.aborted) return
    // Without a free descriptor the check says nothing about the upstream.
    if (fault === undefined || isUpstreamFault(fault)) this.#member.checked(fault)
    if (check) this.#runIn(check.interval)
    else this.reconsider()
  }

  async #try(): Promise<unknown> {
    const { check, patience, tls: upstreamTls } = this.#options
    const { settings, lookup, resolve } = this.#member
    const { timeout, header } = check ?? { timeout: patience, header: poolDefaults.check.header }
    const { signal } = this.#stopped
    try {
      if (resolve) {
        await resolve({ timeout, signal })
        return undefined
      }
      const tls = upstreamTls.optionsFor(settings)
      const { address, source: localAddress } = settings
      const target = { ...endpointOptions(address), tls, lookup, timeout, signal, localAddress }
      const socket = await connect(target, header ? HEADERS[settings.header] : 'none')
      const left = leave(socket, { timeout, signal })
      if (check) await left // clients need not wait until the upstream has closed
      return undefined
    } catch (error) {
      return error
    }
  }
}

/** Closing on unread bytes would be a reset. A reset from the upstream is not a fault: it has accepted. */
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
