// Without checks, only a marked member is tried, so that no client tests it.

import type { Socket } from 'node:net'
import type { HeaderInit, InetEndpoint } from 'proxyprotocol'
import { connect, type ConnectOptions } from 'proxyprotocol/client'
import { endpointOptions, type ActiveCheck, type SentHeader } from '../../config/index.ts'
import { checkDatagram, CheckFault, converse, type DatagramTarget } from './checks/index.ts'
import type { Member } from './member.ts'
import { isUpstreamFault } from './upstream-fault.ts'
import type { UpstreamTls } from './upstream-tls.ts'

export interface HealthCheckOptions {
  readonly cooldown: number
  readonly patience: number
  readonly tls: UpstreamTls
}

/** Names no client; version 1 has no LOCAL. */
const HEADERS: Readonly<Record<SentHeader, HeaderInit | 'none'>> = {
  v2: { command: 'LOCAL' },
  v1: { version: 1, family: 'UNSPEC' },
  spp: 'none', // for datagrams only
  none: 'none',
}

export class HealthCheck {
  readonly #member: Member
  readonly #options: HealthCheckOptions
  /** Made for the first check: most members have none. */
  #stopping: AbortController | undefined
  #started = false
  #running = false
  #stopped = false
  #timer: NodeJS.Timeout | undefined

  constructor(member: Member, options: HealthCheckOptions) {
    this.#member = member
    this.#options = options
  }

  /** At a random time, so that checks spread. */
  start(): void {
    this.#started = true
    const { check } = this.#member.settings
    if (check) this.#runIn(Math.random() * check.interval)
    else this.reconsider()
  }

  reconsider(): void {
    if (this.#member.settings.check || !this.#started || this.#running || !this.#member.isMarked) return
    this.#runIn(this.#options.cooldown)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#stopped = true
    this.#stopping?.abort()
  }

  #runIn(milliseconds: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#run(), milliseconds).unref()
  }

  async #run(): Promise<void> {
    const { check } = this.#member.settings
    if (!check && !this.#member.isMarked) return // a client was served by it
    this.#running = true
    this.#stopping ??= new AbortController()
    const fault = await this.#try(this.#stopping.signal)
    this.#running = false
    if (this.#stopped) return
    // Without a free descriptor the check says nothing about the upstream.
    if (fault === undefined || fault instanceof CheckFault || isUpstreamFault(fault))
      this.#member.checked(fault)
    if (check) this.#runIn(check.interval)
    else this.reconsider()
  }

  async #try(signal: AbortSignal): Promise<unknown> {
    const { settings, resolve } = this.#member
    const { check } = settings
    const timeout = check?.timeout ?? this.#options.patience
    try {
      if (resolve) {
        await resolve({ timeout, signal })
        return undefined
      }
      if (settings.address.transport === 'udp') {
        if (check) await checkDatagram(this.#datagramTarget(check), check, signal)
        return undefined // without a check, a marked upstream gets new flows after the cooldown
      }
      const header = check?.header === false ? 'none' : HEADERS[settings.header]
      const socket = await connect({ ...this.#target(check), timeout, signal }, header)
      const stop = (): void => void socket.destroy()
      signal.addEventListener('abort', stop)
      socket.on('close', () => signal.removeEventListener('abort', stop)).on('error', () => undefined)
      if (check) await converse(socket, check)
      const left = leave(socket, timeout)
      if (check) await left // clients need not wait until the upstream has closed
      return undefined
    } catch (error) {
      return error
    }
  }

  #datagramTarget({ port, address }: ActiveCheck): DatagramTarget {
    const { settings, endpoint } = this.#member
    const known = endpoint as InetEndpoint // a UDP member with a check has one
    const to = { address: address ?? known.address, port: port ?? known.port }
    return { to, source: settings.source, header: settings.header }
  }

  #target(check: ActiveCheck | undefined): ConnectOptions {
    const { settings, lookup, port: own } = this.#member
    const { address, source: localAddress } = settings
    const tls = this.#tls(check)
    if (check?.port === undefined)
      return {
        ...endpointOptions(address),
        ...(own !== undefined && { port: own }),
        tls,
        lookup,
        localAddress,
      }
    const { port, address: host } = check
    if (host !== undefined) return { host, port, tls, localAddress }
    return { host: address.transport === 'unix' ? undefined : address.host, port, tls, lookup, localAddress }
  }

  #tls(check: ActiveCheck | undefined): ConnectOptions['tls'] {
    const own = check?.tls === false ? undefined : this.#options.tls.optionsFor(this.#member.settings)
    if (check?.type !== 'tls') return own
    const { servername } = check
    const secure = typeof own === 'object' ? own : { rejectUnauthorized: false } // no authorities are configured
    return servername === undefined ? secure : { ...secure, servername }
  }
}

/** Closing on unread bytes would be a reset. A reset from the upstream is not a fault: it has accepted. */
function leave(socket: Socket, timeout: number): Promise<void> {
  return new Promise(resolve => {
    if (socket.closed) {
      resolve()
      return
    }
    const timer = setTimeout(() => socket.destroy(), timeout).unref()
    socket
      .on('close', () => {
        clearTimeout(timer)
        resolve()
      })
      .resume()
      .end()
  })
}
