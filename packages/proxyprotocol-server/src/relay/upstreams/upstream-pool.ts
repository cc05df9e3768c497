// The upstreams of one service: picks one for each connection, tries others where connecting fails, and keeps what is
// known of each. Until `connect` has succeeded nothing of the client has left, so that trying again loses nothing.

import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { ProxyProtocolError, type Endpoint, type HeaderInit } from 'proxyprotocol'
import { connect, type StopSignal } from 'proxyprotocol/client'
import { distinguishResets } from 'proxyprotocol/server'
import type { Balance, Pool, UpstreamSettings } from '../../config/index.ts'
import { balancer, type Balancer } from './balance.ts'
import { HealthCheck } from './health-check.ts'
import { Resolver, type NameSnapshot, type Resolve } from './resolver.ts'
import { isUpstreamFault } from './upstream-fault.ts'
import { UpstreamTls } from './upstream-tls.ts'
import { Upstream, type UpstreamSnapshot } from './upstream.ts'

/** Where a connection went, as far as it got. */
export interface Route {
  /** The name of the upstream that serves it, or was tried last. */
  upstream: string | undefined
  /** Where it stands: one of the addresses of the upstream's name, or a UNIX socket. */
  upstreamAddress: Endpoint | undefined
  /** Upstreams that were tried. */
  attempts: number
}

/** One connection that needs an upstream. */
export interface UpstreamRequest {
  /** The client, for `source-hash`. */
  readonly source: Endpoint | undefined
  /** Its TLS where that ends here: an upstream with TLS has to agree on the same protocol (ALPN). */
  readonly client?: TLSSocket | undefined
  /** The header for this upstream; what it throws ends the request, and is no fault of the upstream. */
  readonly header: (upstream: UpstreamSettings) => HeaderInit | undefined
  /** As for `connect`: asked once, when a connection stands. */
  readonly payload: () => Uint8Array | null
  /** Milliseconds for all attempts together. */
  readonly timeout: number
  readonly signal: StopSignal
  /** Is kept up to date, for when it fails as well. */
  readonly route: Route
}

/** A service's upstreams as they are at the moment, plain data. */
export interface PoolSnapshot {
  readonly balance: Balance
  readonly upstreams: readonly UpstreamSnapshot[]
  /** Names of upstreams that were looked up. */
  readonly names: readonly NameSnapshot[]
  /** Attempts beyond the first of a connection. */
  readonly retries: number
}

/** For what is not said by configuration. */
export interface PoolContext {
  /** Default: the system's. */
  readonly resolver?: Resolve | undefined
  /** Milliseconds, from a clock that is never set back. Default `performance.now`. */
  readonly now?: (() => number) | undefined
}

export class UpstreamPool {
  /** The TLS that its upstreams are spoken to with. */
  readonly tls: UpstreamTls
  readonly #settings: Pool
  readonly #upstreams: readonly Upstream[]
  readonly #resolver: Resolver
  readonly #checks: readonly HealthCheck[]
  readonly #pick: Balancer
  readonly #now: () => number
  #retries = 0
  #closed = false

  /** @throws {ConfigError} naming the file of a certificate or key that cannot be used. */
  constructor(settings: Pool, { resolver, now = () => performance.now() }: PoolContext = {}) {
    const { upstreams, balance, health, check } = settings
    this.#settings = settings
    this.#now = now
    this.#pick = balancer(balance)
    this.tls = new UpstreamTls(upstreams)
    this.#resolver = new Resolver({ ...settings.resolve, resolve: resolver, now })
    this.#upstreams = upstreams.map(each => new Upstream(each, { health, check, now }))
    const { tls } = this
    const { lookup } = this.#resolver
    this.#checks = check ? this.#upstreams.map(each => new HealthCheck(each, { check, lookup, tls })) : []
  }

  /** Starts the checks. Nothing that the pool does keeps the process alive. */
  start(): void {
    if (!this.#closed) for (const check of this.#checks) check.start()
  }

  /** Stops all that runs in the background; connections are their owners'. */
  close(): void {
    this.#closed = true
    for (const check of this.#checks) check.stop()
    this.#resolver.close()
  }

  /**
   * Connects to the upstream whose turn it is, or to another one where that fails, within one deadline.
   *
   * @throws ProxyProtocolError `no_upstream` where none may be tried; that of the last attempt; what `header` throws.
   */
  async connect(request: UpstreamRequest): Promise<Socket> {
    const { route, timeout } = request
    const deadline = this.#now() + timeout
    let left = timeout
    const tried = new Set<Upstream>()
    let fault: ProxyProtocolError | undefined
    for (;;) {
      const upstream = this.#choose(request, tried)
      if (upstream === undefined) throw fault ?? new ProxyProtocolError('no_upstream')
      tried.add(upstream)
      route.upstream = upstream.name
      route.attempts = tried.size
      if (tried.size > 1) this.#retries++
      try {
        const socket = await this.#attempt(upstream, request, this.#share(left, tried))
        if (socket instanceof TLSSocket) distinguishResets(socket)
        route.upstreamAddress = upstream.endpoint ?? peerOf(socket)
        return socket
      } catch (error) {
        if (!isUpstreamFault(error)) throw error
        const { address } = upstream.settings
        if (address.transport === 'tcp') this.#resolver.doubt(address.host ?? '')
        fault = error
        left = deadline - this.#now()
        if (tried.size > this.#settings.retries || left <= 0) throw fault
      }
    }
  }

  snapshot(): PoolSnapshot {
    return {
      balance: this.#settings.balance,
      upstreams: this.#upstreams.map(each => each.snapshot()),
      names: this.#resolver.snapshot(),
      retries: this.#retries,
    }
  }

  #attempt(upstream: Upstream, request: UpstreamRequest, timeout: number): Promise<Socket> {
    const { payload, signal, client } = request
    const { address } = upstream.settings
    const header = request.header(upstream.settings)
    const { lookup } = this.#resolver
    const tls = this.tls.optionsFor(upstream.settings, client)
    const [tcp, path] = address.transport === 'tcp' ? [address] : [undefined, address.path]
    // One literal: every connection's options have one hidden class.
    const options = {
      host: tcp?.host,
      port: tcp?.port,
      path,
      tls,
      lookup,
      timeout,
      signal,
      allowHalfOpen: true,
      payload,
    }
    return upstream.attempt(() => connect(options, header))
  }

  /** Those that are up before backups; then, rather than nobody, the one that failed longest ago. */
  #choose({ source }: UpstreamRequest, tried: ReadonlySet<Upstream>): Upstream | undefined {
    const left = this.#upstreams.filter(each => !tried.has(each) && each.weight > 0)
    for (const backup of [false, true]) {
      const open = left.filter(each => each.isOpen && each.settings.backup === backup)
      if (open.length > 0) return this.#pick(open, addressOf(source))
    }
    const [longestAgo] = left.filter(each => each.isHealthy).sort((a, b) => a.failedAt - b.failedAt)
    return longestAgo
  }

  /** The time that is left is for this upstream and those that may follow: one that is silent must not take it all. */
  #share(left: number, tried: ReadonlySet<Upstream>): number {
    const others = this.#upstreams.filter(
      each => !tried.has(each) && each.weight > 0 && each.isHealthy,
    ).length
    const mayFollow = Math.min(others, this.#settings.retries + 1 - tried.size)
    return Math.ceil(left / (1 + mayFollow))
  }
}

/** IPv4 is the same client however its address is written. */
function addressOf(source: Endpoint | undefined): string | undefined {
  if (source === undefined || !('address' in source)) return undefined
  return source.address.replace(/^::ffff:(?=\d+\.)/, '')
}

function peerOf({ remoteAddress, remotePort }: Socket): Endpoint | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined
  return { address: remoteAddress, port: remotePort }
}
