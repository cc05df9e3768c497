// No byte of the client leaves before `connect` succeeds, so a retry loses nothing.

import type { Socket } from 'node:net'
import { ProxyProtocolError, type Endpoint } from 'proxyprotocol'
import { connect } from 'proxyprotocol/client'
import { distinguishResets } from 'proxyprotocol/server'
import type { Balance, Pool, UpstreamSettings } from '../../config/index.ts'
import type { NameSnapshot, UpstreamSnapshot } from '../../figures/index.ts'
import { Choice } from './choice.ts'
import { dialMember } from './dial-member.ts'
import type { Member } from './member.ts'
import { answeredNames, type Resolve, Resolver } from './names/index.ts'
import type { UpstreamEvent } from './upstream-event.ts'
import { mayTryAnother } from './upstream-fault.ts'
import { UpstreamQueue } from './upstream-queue.ts'
import type { Dialled, DialRequest, UpstreamRequest } from './upstream-request.ts'
import { UpstreamTls } from './upstream-tls.ts'
import { Upstream } from './upstream.ts'

/** A snapshot of a service's upstreams, as plain data. */
export interface PoolSnapshot {
  readonly balance: Balance
  readonly upstreams: readonly UpstreamSnapshot[]
  readonly names: readonly NameSnapshot[]
  readonly queued: number
  readonly queueSize: number
}

/** Options beside the configuration. */
export interface PoolContext {
  /** Default: the system's. */
  readonly resolver?: Resolve | undefined
  /** Milliseconds of a monotonic clock. Default `performance.now`. */
  readonly now?: (() => number) | undefined
}

export interface PoolOptions extends PoolContext {
  /** Milliseconds that a client waits for an upstream. Default 5000. */
  readonly patience?: number | undefined
  readonly onUpstream?: ((event: UpstreamEvent) => void) | undefined
}

const DEFAULT_PATIENCE = 5_000
const NONE_TRIED: ReadonlySet<Member> = new Set()

export class UpstreamPool {
  readonly tls: UpstreamTls
  readonly #settings: Pool
  readonly #upstreams: readonly Upstream[]
  readonly #bySettings: ReadonlyMap<UpstreamSettings, Upstream>
  readonly #resolver: Resolver
  readonly #choice: Choice
  readonly #now: () => number
  readonly #queue: UpstreamQueue
  readonly #patience: number
  #isClosed = false
  #ended: AbortController | undefined

  constructor(settings: Pool, options: PoolOptions = {}) {
    const { upstreams, health, resolve, queue } = settings
    const {
      now = () => performance.now(),
      patience = DEFAULT_PATIENCE,
      onUpstream: tell = () => undefined,
    } = options
    this.#settings = settings
    this.#now = now
    this.#patience = patience
    this.#queue = new UpstreamQueue(queue, now)
    this.#choice = new Choice(settings, () => this.#upstreams)
    this.tls = new UpstreamTls(upstreams)
    this.#resolver = new Resolver({ ...resolve, resolve: options.resolver, now })
    const onChange = (): void => {
      this.#choice.changed()
      this.#queue.all()
    }
    const onRoom = (): void => {
      this.#queue.next()
    }
    const common = { resolver: this.#resolver, tls: this.tls, patience, now, tell, onRoom, onChange }
    const context = { health, resolve, ...common }
    this.#upstreams = upstreams.map(each => new Upstream(each, context))
    this.#bySettings = new Map(this.#upstreams.map(each => [each.settings, each]))
  }

  start(): void {
    if (this.#isClosed) return
    for (const upstream of this.#upstreams) upstream.start()
    if (this.#settings.upstreams.some(({ check }) => check)) this.#resolver.start()
  }

  close(): void {
    this.#isClosed = true
    this.#ended?.abort()
    for (const upstream of this.#upstreams) upstream.close()
    this.#resolver.close()
  }

  /** Pools of one service follow others, whatever their routes. */
  static inherit(pools: readonly UpstreamPool[], others: readonly UpstreamPool[]): void {
    const names = answeredNames(others.map(other => other.#resolver))
    const before = new Map<string, Upstream>()
    for (const other of others) for (const upstream of other.#upstreams) before.set(upstream.key, upstream)
    const kept = new Set<Upstream>()
    for (const pool of pools) {
      pool.#resolver.inherit(names)
      for (const upstream of pool.#upstreams) {
        const same = before.get(upstream.key)
        if (same) {
          kept.add(same)
          upstream.inherit(same)
        } else upstream.beginSlowly()
      }
    }
    for (const upstream of before.values()) if (!kept.has(upstream)) upstream.keep(new Set())
  }

  connect(request: UpstreamRequest): Promise<Socket> {
    return this.#tryAll(request, (member, timeout) => this.#attempt(member, request, timeout))
  }

  /** For upstreams that all speak plain TCP. */
  dial(request: DialRequest): Promise<Dialled> {
    return this.#tryAll(request, (member, timeout) => dialMember(member, request, timeout))
  }

  async #tryAll<T>(
    request: Omit<DialRequest, 'dial'>,
    attempt: (member: Member, timeout: number) => Promise<T | undefined>,
  ): Promise<T> {
    const { route, timeout } = request
    const deadline = this.#now() + timeout
    let waited = 0 // in the queue, which takes nothing of the time for connecting
    const tried = new Set<Member>()
    let fault: ProxyProtocolError | undefined
    for (;;) {
      const member = this.#choice.next(request.source, tried)
      if (member === 'full') {
        const hasRoom = (): boolean => this.#choice.hasRoom(tried)
        waited += await this.#queue.wait(hasRoom, { signal: request.signal, waited })
        continue
      }
      if (member === undefined) throw fault ?? new ProxyProtocolError('no_upstream')
      const left = deadline + waited - this.#now()
      if (left <= 0) {
        this.#queue.next() // it may have been let go for room that it does not take
        throw fault ?? new ProxyProtocolError('connect_timeout', { detail: `${timeout} ms` })
      }
      tried.add(member)
      route.upstream = member.settings.name
      route.attempts = tried.size
      try {
        const connected = await attempt(member, this.#share(left, tried))
        if (connected !== undefined) return connected
        tried.delete(member) // its name has members by now
      } catch (error) {
        if (!mayTryAnother(error)) throw error
        this.doubt(member)
        fault = error
      }
    }
  }

  /** For a flow of datagrams; undefined if none may take it. A name may have to be resolved first. */
  member(
    source: Endpoint | undefined,
    failed: ReadonlySet<Member> = NONE_TRIED,
  ): Member | Promise<Member | undefined> | undefined {
    const member = this.#choice.next(source, failed)
    if (member === 'full') return undefined
    return member?.resolve ? this.#resolvedMember(member, source, failed) : member
  }

  /** Its name may have other addresses by now. */
  doubt({ settings }: Member): void {
    this.#bySettings.get(settings)?.doubt()
  }

  snapshot(): PoolSnapshot {
    return {
      balance: this.#settings.balance,
      upstreams: this.#upstreams.map(each => each.snapshot()),
      names: this.#resolver.snapshot(),
      queued: this.#queue.length,
      queueSize: this.#settings.queue.size,
    }
  }

  async #attempt(member: Member, request: UpstreamRequest, timeout: number): Promise<Socket | undefined> {
    const { payload, signal, client, route } = request
    const { settings, lookup } = member
    const { address } = settings
    if (member.resolve) {
      await member.resolved({ timeout, signal })
      return undefined
    }
    const tls = this.tls.optionsFor(settings, client)
    const [tcp, path] = address.transport === 'unix' ? [undefined, address.path] : [address]
    // One literal: every connection's options have one hidden class.
    const options = {
      host: tcp?.host,
      port: member.port,
      path,
      tls,
      lookup,
      timeout,
      signal,
      localAddress: settings.source,
      allowHalfOpen: true,
      payload,
    }
    // A header that cannot be made gives the room to the next in the queue.
    const connecting = (): Promise<Socket> => connect(options, request.header(settings) ?? 'none')
    const socket = await member.attempt(connecting, request.owner)
    distinguishResets(socket)
    route.upstreamAddress = member.endpoint ?? peerOf(socket)
    return socket
  }

  async #resolvedMember(
    name: Member,
    source: Endpoint | undefined,
    failed: ReadonlySet<Member>,
  ): Promise<Member | undefined> {
    this.#ended ??= new AbortController()
    try {
      await name.resolved({ timeout: this.#patience, signal: this.#ended.signal })
    } catch {
      return this.member(source, new Set([...failed, name])) // the failure is counted
    }
    return this.member(source, failed)
  }

  /** A silent member must not use up the time of others. */
  #share(left: number, tried: ReadonlySet<Member>): number {
    return Math.ceil(left / (1 + this.#choice.mayFollow(tried)))
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): Endpoint | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined
  return { address: remoteAddress, port: remotePort }
}
