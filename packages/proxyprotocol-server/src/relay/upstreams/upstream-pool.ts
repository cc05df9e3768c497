// The upstreams of one service: picks one for each connection, tries others where connecting fails, and keeps what is
// known of each. Until `connect` has succeeded nothing of the client has left, so that trying again loses nothing.

import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { ProxyProtocolError, unmapAddress, type Endpoint, type HeaderInit } from 'proxyprotocol'
import { connect, type StopSignal } from 'proxyprotocol/client'
import { distinguishResets } from 'proxyprotocol/server'
import { formatEndpoint, type Balance, type Pool, type UpstreamSettings } from '../../config/index.ts'
import type { NameSnapshot, UpstreamSnapshot } from '../../figures/index.ts'
import { balancer, type Balancer } from './balance.ts'
import type { Member } from './member.ts'
import type { Resolve } from './resolved-name.ts'
import { Resolver } from './resolver.ts'
import type { UpstreamEvent } from './upstream-event.ts'
import { mayTryAnother } from './upstream-fault.ts'
import { UpstreamTls } from './upstream-tls.ts'
import { Upstream } from './upstream.ts'

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
  /** Names of upstreams that are looked up. */
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

/** What a pool is told by its relay. */
export interface PoolOptions extends PoolContext {
  /** Milliseconds that a client waits for an upstream. Default 5000. */
  readonly patience?: number | undefined
  readonly onUpstream?: ((event: UpstreamEvent) => void) | undefined
}

/** As a client of the library waits. */
const DEFAULT_PATIENCE = 5_000

export class UpstreamPool {
  /** The TLS that its upstreams are spoken to with. */
  readonly tls: UpstreamTls
  readonly #settings: Pool
  readonly #upstreams: readonly Upstream[]
  readonly #bySettings: ReadonlyMap<UpstreamSettings, Upstream>
  readonly #resolver: Resolver
  readonly #pick: Balancer
  readonly #now: () => number
  #retries = 0
  #closed = false

  /** @throws {ConfigError} naming the file of a certificate or key that cannot be used. */
  constructor(settings: Pool, options: PoolOptions = {}) {
    const { upstreams, balance, health, check, resolve } = settings
    const {
      now = () => performance.now(),
      patience = DEFAULT_PATIENCE,
      onUpstream: tell = () => undefined,
    } = options
    this.#settings = settings
    this.#now = now
    this.#pick = balancer(balance)
    this.tls = new UpstreamTls(upstreams)
    this.#resolver = new Resolver({ ...resolve, resolve: options.resolver, now })
    const context = { health, check, resolve, resolver: this.#resolver, tls: this.tls, patience, now, tell }
    this.#upstreams = upstreams.map(each => new Upstream(each, context))
    this.#bySettings = new Map(this.#upstreams.map(each => [each.settings, each]))
  }

  /** Starts the checks, and looks up whom they are for. Nothing that the pool does keeps the process alive. */
  start(): void {
    if (this.#closed) return
    for (const upstream of this.#upstreams) upstream.start()
    if (this.#settings.check) this.#resolver.start()
  }

  /** Stops all that runs in the background; connections are their owners'. */
  close(): void {
    this.#closed = true
    for (const upstream of this.#upstreams) upstream.close()
    this.#resolver.close()
  }

  /** Begins with what the pools of another relay know of upstreams that are called and addressed alike, whatever their routes. */
  inherit(others: readonly UpstreamPool[]): void {
    for (const other of others) this.#resolver.inherit(other.#resolver)
    const before = others.flatMap(other => other.#upstreams)
    for (const upstream of this.#upstreams) {
      const same = before.find(({ settings }) => isSame(settings, upstream.settings))
      if (same) upstream.inherit(same)
    }
  }

  /**
   * Connects to the member whose turn it is, or to another one where that fails, within one deadline.
   *
   * @throws ProxyProtocolError `no_upstream` where none may be tried; that of the last attempt; what `header` throws.
   */
  async connect(request: UpstreamRequest): Promise<Socket> {
    const { route, timeout } = request
    const deadline = this.#now() + timeout
    const tried = new Set<Member>()
    let fault: ProxyProtocolError | undefined
    for (;;) {
      const member = this.#choose(request, tried)
      if (member === undefined) throw fault ?? new ProxyProtocolError('no_upstream')
      const left = deadline - this.#now()
      if (left <= 0) throw fault ?? new ProxyProtocolError('connect_timeout', { detail: `${timeout} ms` })
      tried.add(member)
      if (tried.size > 1 && tried.size > route.attempts) this.#retries++
      route.upstream = member.settings.name
      route.attempts = tried.size
      try {
        const socket = await this.#attempt(member, request, this.#share(left, tried))
        if (socket !== undefined) return socket
        tried.delete(member) // its name has members by now
      } catch (error) {
        if (!mayTryAnother(error)) throw error
        this.#bySettings.get(member.settings)?.doubt()
        fault = error
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

  /** Resolves with nothing where it was only a name, which has members by now. */
  async #attempt(member: Member, request: UpstreamRequest, timeout: number): Promise<Socket | undefined> {
    const { payload, signal, client, route } = request
    const { settings, lookup } = member
    const { address } = settings
    if (member.resolve) {
      await member.resolved({ timeout, signal })
      return undefined
    }
    const header = request.header(settings)
    const tls = this.tls.optionsFor(settings, client)
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
    const socket = await member.attempt(() => connect(options, header ?? 'none'))
    distinguishResets(socket)
    route.upstreamAddress = member.endpoint ?? peerOf(socket)
    return socket
  }

  /** Those that are up before backups; then, rather than nobody, the one that failed longest ago. */
  #choose({ source }: UpstreamRequest, tried: ReadonlySet<Member>): Member | undefined {
    const left = this.#left(tried)
    for (const backup of [false, true]) {
      const open = left.filter(each => each.isOpen && each.settings.backup === backup)
      if (open.length > 0) return this.#pick(elsewhere(open, tried), addressOf(source))
    }
    const [longestAgo] = left.filter(each => each.isHealthy).sort((a, b) => a.failedAt - b.failedAt)
    return longestAgo
  }

  /** Those that may be tried next: `retries` others, and another member of the first one's name even without any. */
  #left(tried: ReadonlySet<Member>): readonly Member[] {
    const [first] = tried
    const all = this.#upstreams.flatMap(({ members }) => members)
    const left = all.filter(each => !tried.has(each) && each.weight > 0)
    if (first === undefined || tried.size <= this.#settings.retries) return left
    return tried.size === 1 ? left.filter(({ settings }) => settings === first.settings) : []
  }

  /** The time that is left is for this member and those that may follow: one that is silent must not take it all. */
  #share(left: number, tried: ReadonlySet<Member>): number {
    const others = this.#left(tried).filter(each => each.isHealthy).length
    const mayFollow = Math.min(others, Math.max(1, this.#settings.retries + 1 - tried.size))
    return Math.ceil(left / (1 + mayFollow))
  }
}

function isSame(one: UpstreamSettings, other: UpstreamSettings): boolean {
  return one.name === other.name && formatEndpoint(one.address) === formatEndpoint(other.address)
}

/** Members of upstreams that were not tried come first: what one address of a name suffers from, its others may as well. */
function elsewhere(open: readonly Member[], tried: ReadonlySet<Member>): readonly Member[] {
  if (tried.size === 0) return open
  const known = new Set([...tried].map(({ settings }) => settings))
  const others = open.filter(({ settings }) => !known.has(settings))
  return others.length > 0 ? others : open
}

/** IPv4 is the same client however its address is written. */
function addressOf(source: Endpoint | undefined): string | undefined {
  if (source === undefined || !('address' in source)) return undefined
  return unmapAddress(source.address)
}

function peerOf({ remoteAddress, remotePort }: Socket): Endpoint | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined
  return { address: remoteAddress, port: remotePort }
}
