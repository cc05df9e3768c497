// A name without an answer has one member without an address.

import type { LookupAddress } from 'node:dns'
import { isIPv4, type LookupFunction, type Socket } from 'node:net'
import { ProxyProtocolError, type Endpoint, type ErrorCode } from 'proxyprotocol'
import { addressKey, type Address, type PassiveHealth, type UpstreamSettings } from '../../config/index.ts'
import {
  latestOf,
  type MemberSnapshot,
  type UpstreamFailure,
  type UpstreamState,
} from '../../figures/index.ts'
import { seedOf, type Candidate, type Seed } from './balance.ts'
import {
  ChangeNotices,
  type DatedFailure,
  type Failure,
  Judge,
  type JudgeChange,
  type Notice,
  SlowStart,
} from './health/index.ts'
import { type Abortable, OwnedConnections } from './owned-connections.ts'
import type { WaitOptions } from './resolved-name.ts'
import { isUpstreamFault } from './upstream-fault.ts'

export interface MemberTarget {
  readonly found?: LookupAddress | undefined
  readonly resolve?: ((options: WaitOptions) => Promise<void>) | undefined
}

export interface MemberContext {
  readonly health: PassiveHealth
  /** Milliseconds until the connections of one that left are ended. */
  readonly drain?: number | undefined
  readonly now: () => number
  readonly tell: (member: Member, notice: Notice) => void
  readonly onChange: () => void
  readonly onRoom: () => void
}

export class Member implements Candidate {
  readonly settings: UpstreamSettings
  readonly name: string
  readonly address: string
  readonly endpoint: Endpoint | undefined
  readonly lookup: LookupFunction | undefined
  readonly resolve: MemberTarget['resolve']
  readonly host: string | undefined
  weight: number
  readonly seed: Seed
  credit = 0
  readonly #context: MemberContext
  readonly #judge: Judge
  readonly #notices: ChangeNotices
  readonly #slowStart: SlowStart
  readonly #connections = new OwnedConnections()
  readonly #failures = new Map<ErrorCode, number>()
  readonly #checks = { passed: 0, failed: 0 }
  #active = 0
  #total = 0
  #leaving = false

  constructor(settings: UpstreamSettings, { found, resolve }: MemberTarget, context: MemberContext) {
    const { address } = settings
    this.settings = settings
    this.name = found ? `${settings.name} ${found.address}` : settings.name
    this.address = addressKey(
      address.transport === 'tcp' && found ? { ...address, host: found.address } : address,
    )
    this.weight = settings.weight
    this.seed = seedOf(this.name)
    this.endpoint = endpointOf(address, found?.address)
    this.lookup = found && lookupOf(found)
    this.resolve = resolve
    this.host = found?.address
    this.#context = context
    const { health, now } = context
    const { check, weight } = settings
    this.#judge = new Judge({ health, check, now, onChange: change => this.#onChange(change) })
    this.#slowStart = new SlowStart(health.slowStart, share => (this.weight = weight * share))
    this.#notices = new ChangeNotices(notice => context.tell(this, notice))
  }

  get active(): number {
    return this.#active
  }

  get state(): UpstreamState {
    if (this.#leaving) return 'leaving'
    return this.settings.weight === 0 ? 'drained' : this.#judge.state
  }

  get isOpen(): boolean {
    return this.#judge.state === 'up'
  }

  /** True unless checks found it down. */
  get isHealthy(): boolean {
    return this.#judge.isHealthy
  }

  get isMarked(): boolean {
    return this.#judge.evidence.marked
  }

  get hasRoom(): boolean {
    return this.#active < this.settings.maxConnections
  }

  get failedAt(): number {
    return this.#judge.evidence.failedAt
  }

  async attempt<T extends Socket>(connecting: () => Promise<T>, owner?: Abortable): Promise<T> {
    this.#active++
    try {
      const socket = await connecting()
      this.#total++
      this.#judge.connected()
      socket.on('close', this.#onClose)
      if (owner && this.#mayEnd) this.#connections.add(socket, owner)
      return socket
    } catch (error) {
      this.#onClose()
      this.#missed(error)
      throw error
    }
  }

  async resolved(options: WaitOptions): Promise<void> {
    try {
      await this.resolve?.(options)
    } catch (error) {
      this.#missed(error)
      throw error
    }
  }

  checked(fault: Failure | undefined): void {
    this.#checks[fault === undefined ? 'passed' : 'failed']++
    this.#judge.checked(fault)
    if (fault && !this.isHealthy) this.#abandon(fault)
  }

  /** Its weight rises from a tenth. */
  beginSlowly(): void {
    this.#slowStart.begin()
  }

  condemn(fault: Failure): void {
    this.#judge.condemn(fault)
  }

  hush(): void {
    this.#notices.stop()
    this.#slowStart.stop()
  }

  leave(): void {
    this.hush()
    this.#leaving = true
    const { drain } = this.#context
    if (drain !== undefined && this.#active > 0)
      this.#connections.abortEvery(drain, `${this.address}, ${String(drain)} ms ago`)
  }

  stay(): void {
    this.#leaving = false
    this.#connections.keep()
    this.#notices.begin(this.#judge.evidence.downSince)
    this.#slowStart.continue(this.#slowStart)
  }

  acquit(): void {
    this.#judge.acquit()
  }

  inherit(other: Member): void {
    this.#judge.inherit(other.#judge.evidence)
    this.#notices.begin(this.#judge.evidence.downSince)
    this.#slowStart.continue(other.#slowStart)
  }

  snapshot(): MemberSnapshot {
    const { verdict, failedChecks, goodChecks, lastFailure, lastCheckFailure } = this.#judge.evidence
    const [ofConnection, ofCheck] = [this.#aged(lastFailure), this.#aged(lastCheckFailure)]
    const streak = Math.max(failedChecks, goodChecks)
    const { check } = this.settings
    return {
      address: this.address,
      weight: this.weight,
      state: this.state,
      active: this.#active,
      total: this.#total,
      failures: Object.fromEntries(this.#failures),
      lastFailure: latestOf([ofConnection, ofCheck]),
      checks: check && { type: check.type, ...this.#checks, streak, verdict, lastFailure: ofCheck },
    }
  }

  /** One listener for all sockets, because an open connection keeps it. */
  readonly #onClose = (): void => {
    if (--this.#active === 0) this.#connections.keep()
    this.#context.onRoom()
  }

  get #mayEnd(): boolean {
    const { health, drain } = this.#context
    return health.onDown === 'reset' || drain !== undefined
  }

  #abandon({ message }: Failure): void {
    if (this.#context.health.onDown !== 'reset') return
    this.#connections.abort(new ProxyProtocolError('aborted', { detail: `the upstream is down, ${message}` }))
  }

  #missed(error: unknown): void {
    if (!isUpstreamFault(error)) return
    this.#failures.set(error.code, (this.#failures.get(error.code) ?? 0) + 1)
    this.#judge.failed(error)
  }

  #onChange(change: JudgeChange): void {
    if (change.isUp) this.beginSlowly()
    this.#context.onChange()
    this.#notices.changed(change)
  }

  #aged(failure: DatedFailure | undefined): UpstreamFailure | undefined {
    if (failure === undefined) return undefined
    const { code, message, at } = failure
    return { code, message, age: this.#context.now() - at }
  }
}

function endpointOf(address: Address, found: string | undefined): Endpoint | undefined {
  if (address.transport === 'unix') return { path: address.path }
  const { host = '', port } = address
  if (found !== undefined) return { address: found, port }
  return isIPv4(host) && host !== '0.0.0.0' ? { address: host, port } : undefined // 0.0.0.0 leads to loopback
}

function lookupOf({ address, family }: LookupAddress): LookupFunction {
  return (_host, { all }, callback) => {
    if (all === true) callback(null, [{ address, family }])
    else callback(null, address, family)
  }
}
