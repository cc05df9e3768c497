// A name without an answer has one member without an address.

import type { LookupFunction } from 'node:net'
import { ProxyProtocolError, type Endpoint } from 'proxyprotocol'
import { addressKey, type PassiveHealth, type UpstreamSettings } from '../../config/index.ts'
import { latestOf, type MemberSnapshot, type UpstreamState } from '../../figures/index.ts'
import { seedOf, type Candidate, type Seed } from './balance.ts'
import {
  agedFailure,
  ChangeNotices,
  type Failure,
  Judge,
  type JudgeChange,
  type Notice,
  SlowStart,
} from './health/index.ts'
import { type Abortable, type Closing, OwnedConnections } from './owned-connections.ts'
import { MemberCounts } from './member-counts.ts'
import { endpointOf, type FoundAddress, lookupOf, placed, placeOf, type WaitOptions } from './names/index.ts'
import { isUpstreamFault } from './upstream-fault.ts'

export interface MemberTarget {
  readonly found?: FoundAddress | undefined
  readonly resolve?: ((options: WaitOptions) => Promise<void>) | undefined
}

export interface MemberContext {
  readonly health: PassiveHealth
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
  readonly place: string | undefined
  readonly port: number | undefined
  backup = false
  weight = 0
  readonly seed: Seed
  credit = 0
  readonly #context: MemberContext
  readonly #judge: Judge
  readonly #notices: ChangeNotices
  readonly #slowStart: SlowStart
  readonly #connections = new OwnedConnections()
  #share = 1
  #warmth = 1
  readonly #counts = new MemberCounts()
  #leaving = false

  constructor(settings: UpstreamSettings, { found, resolve }: MemberTarget, context: MemberContext) {
    const { address } = settings
    this.settings = settings
    this.place = found && placeOf(found)
    this.name = this.place === undefined ? settings.name : `${settings.name} ${this.place}`
    this.port = found?.port ?? (address.transport === 'unix' ? undefined : address.port)
    this.address = addressKey(found ? placed(address, found.address, this.port) : address)
    this.seed = seedOf(this.name)
    this.endpoint = endpointOf(address, found)
    this.lookup = found && lookupOf(found)
    this.resolve = resolve
    this.#context = context
    const { health, now } = context
    const { check } = settings
    this.#judge = new Judge({ health, check, now, onChange: change => this.#onChange(change) })
    this.#slowStart = new SlowStart(health.slowStart, warmth => {
      this.#warmth = warmth
      this.#weigh()
    })
    this.#notices = new ChangeNotices(notice => context.tell(this, notice))
    this.follow(found)
  }

  get active(): number {
    return this.#counts.active
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
    return this.#counts.active < this.settings.maxConnections
  }

  get failedAt(): number {
    return this.#judge.evidence.failedAt
  }

  async attempt<T extends Closing>(connecting: () => Promise<T>, owner?: Abortable): Promise<T> {
    this.#counts.active++
    try {
      const socket = await connecting()
      this.#counts.total++
      this.#judge.connected()
      socket.on('close', this.#onClose)
      if (owner && this.#mayEnd) this.#connections.add(socket, owner)
      return socket
    } catch (error) {
      this.#onClose()
      this.missed(error)
      throw error
    }
  }

  /** Opening a flow of datagrams proves nothing, so its owner reports what comes back. */
  beginFlow(): void {
    this.#counts.active++
    this.#counts.total++
  }

  answered(): void {
    this.#judge.connected()
  }

  missed(error: unknown): void {
    if (!isUpstreamFault(error)) return
    this.#counts.failed(error.code)
    this.#judge.failed(error)
  }

  endFlow(): void {
    this.#onClose()
  }

  async resolved(options: WaitOptions): Promise<void> {
    try {
      await this.resolve?.(options)
    } catch (error) {
      this.missed(error)
      throw error
    }
  }

  checked(fault: Failure | undefined): void {
    this.#counts.checks[fault === undefined ? 'passed' : 'failed']++
    this.#judge.checked(fault)
    if (fault === undefined || this.isHealthy || this.#context.health.onDown === 'keep') return
    const detail = `the upstream is down, ${fault.message}`
    this.#connections.abort(new ProxyProtocolError('aborted', { detail }))
  }

  /** Another answer may give it another share. */
  follow(found: FoundAddress | undefined): void {
    this.#share = found?.share ?? 1
    this.backup = this.settings.backup || found?.backup === true
    this.#weigh()
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
    if (this.#leaving) return
    this.hush()
    this.#leaving = true
    const { drain } = this.#context
    if (drain !== undefined && this.#counts.active > 0)
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
    const now = this.#context.now()
    const [ofConnection, ofCheck] = [agedFailure(lastFailure, now), agedFailure(lastCheckFailure, now)]
    const streak = Math.max(failedChecks, goodChecks)
    const { check } = this.settings
    return {
      address: this.address,
      weight: this.weight,
      state: this.state,
      ...this.#counts.view(),
      lastFailure: latestOf([ofConnection, ofCheck]),
      checks: check && { type: check.type, ...this.#counts.checks, streak, verdict, lastFailure: ofCheck },
    }
  }

  readonly #onClose = (): void => {
    if (--this.#counts.active === 0) this.#connections.keep()
    this.#context.onRoom()
  }

  #weigh(): void {
    this.weight = this.settings.weight * this.#share * this.#warmth
  }

  get #mayEnd(): boolean {
    const { health, drain } = this.#context
    return health.onDown === 'reset' || drain !== undefined
  }

  #onChange(change: JudgeChange): void {
    if (change.isUp) this.beginSlowly()
    this.#context.onChange()
    this.#notices.changed(change)
  }
}
