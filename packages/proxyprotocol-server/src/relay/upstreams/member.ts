// One address of an upstream: what it is called, its counters, and what is thought of it. An upstream that is given by its
// address has one; a name that was not looked up yet has one without an address, which stands for all that may come.

import type { LookupAddress } from 'node:dns'
import { isIPv4, type LookupFunction, type Socket } from 'node:net'
import type { Endpoint, ErrorCode, ProxyProtocolError } from 'proxyprotocol'
import {
  addressKey,
  type ActiveCheck,
  type Address,
  type PassiveHealth,
  type UpstreamSettings,
} from '../../config/index.ts'
import {
  latestOf,
  type MemberSnapshot,
  type UpstreamFailure,
  type UpstreamState,
} from '../../figures/index.ts'
import { ChangeNotices, type Notice } from './change-notices.ts'
import { Judge, type DatedFailure, type Failure, type JudgeChange } from './judge.ts'
import type { WaitOptions } from './resolved-name.ts'
import { isUpstreamFault } from './upstream-fault.ts'

/** Where a member stands. */
export interface MemberTarget {
  /** The address of a name; undefined where the upstream is given by its address. */
  readonly found?: LookupAddress | undefined
  /** Looks the name up, where there is no address of it. */
  readonly resolve?: ((options: WaitOptions) => Promise<void>) | undefined
}

/** What a member needs besides its target. */
export interface MemberContext {
  readonly health: PassiveHealth
  readonly check: ActiveCheck | undefined
  /** Milliseconds, from a clock that is never set back. */
  readonly now: () => number
  /** Called with what is to be told of its changes. */
  readonly tell: (member: Member, notice: Notice) => void
  /** Called at once when it is up no more, or again. */
  readonly onChange: () => void
}

export class Member {
  readonly settings: UpstreamSettings
  /** What it is balanced by. */
  readonly name: string
  /** As address strings have it. */
  readonly address: string
  /** Undefined where each of its connections has to be asked. */
  readonly endpoint: Endpoint | undefined
  /** Answers with its address, and with no other of its name. */
  readonly lookup: LookupFunction | undefined
  /** Given where it is a name without an address. */
  readonly resolve: MemberTarget['resolve']
  /** The address of its name; undefined where the upstream is given by its address. */
  readonly host: string | undefined
  readonly #context: MemberContext
  readonly #judge: Judge
  readonly #notices: ChangeNotices
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
    this.endpoint = endpointOf(address, found?.address)
    this.lookup = found && lookupOf(found)
    this.resolve = resolve
    this.host = found?.address
    this.#context = context
    const { health, check, now } = context
    this.#judge = new Judge({ health, check, now, onChange: change => this.#onChange(change) })
    this.#notices = new ChangeNotices(notice => context.tell(this, notice))
  }

  get weight(): number {
    return this.settings.weight
  }

  get active(): number {
    return this.#active
  }

  get state(): UpstreamState {
    if (this.#leaving) return 'leaving'
    return this.weight === 0 ? 'drained' : this.#judge.state
  }

  /** Whether it takes its turn. */
  get isOpen(): boolean {
    return this.#judge.state === 'up'
  }

  /** Whether what is known does not speak against it: it may be tried where all are marked. */
  get isHealthy(): boolean {
    return this.#judge.isHealthy
  }

  get isMarked(): boolean {
    return this.#judge.evidence.marked
  }

  /** When a connection or a check last failed. */
  get failedAt(): number {
    return this.#judge.evidence.failedAt
  }

  /** Runs an attempt to connect, and counts it until its socket is closed. Rejects as the attempt does. */
  async attempt<T extends Socket>(connecting: () => Promise<T>): Promise<T> {
    this.#active++
    try {
      const socket = await connecting()
      this.#total++
      this.#judge.connected()
      socket.on('close', this.#onClose)
      return socket
    } catch (error) {
      this.#active--
      this.#missed(error)
      throw error
    }
  }

  /** Waits until its name has addresses. Rejects where it has none. */
  async resolved(options: WaitOptions): Promise<void> {
    try {
      await this.resolve?.(options)
    } catch (error) {
      this.#missed(error)
      throw error
    }
  }

  /** Takes note of a check, and of its fault where it failed. */
  checked(fault: ProxyProtocolError | undefined): void {
    this.#checks[fault === undefined ? 'passed' : 'failed']++
    this.#judge.checked(fault)
  }

  /** It cannot be used any more, whatever is known of it. */
  condemn(fault: Failure): void {
    this.#judge.condemn(fault)
  }

  /** Nothing is told of it any more. */
  hush(): void {
    this.#notices.stop()
  }

  /** It gets no more connections. */
  leave(): void {
    this.hush()
    this.#leaving = true
  }

  /** It is back before its last connection has ended. */
  stay(): void {
    this.#leaving = false
    this.#notices.begin(this.#judge.evidence.downSince)
  }

  /** Nothing is held against it any more. */
  acquit(): void {
    this.#judge.acquit()
  }

  /** Begins with what the same one of another relay knew; its counters are its own. */
  inherit(other: Member): void {
    this.#judge.inherit(other.#judge.evidence)
    this.#notices.begin(this.#judge.evidence.downSince)
  }

  snapshot(): MemberSnapshot {
    const { verdict, failedChecks, goodChecks, lastFailure, lastCheckFailure } = this.#judge.evidence
    const [ofConnection, ofCheck] = [this.#aged(lastFailure), this.#aged(lastCheckFailure)]
    const streak = Math.max(failedChecks, goodChecks)
    return {
      address: this.address,
      weight: this.weight,
      state: this.state,
      active: this.#active,
      total: this.#total,
      failures: Object.fromEntries(this.#failures),
      lastFailure: latestOf([ofConnection, ofCheck]),
      checks: this.#context.check && { ...this.#checks, streak, verdict, lastFailure: ofCheck },
    }
  }

  /** One for all of its sockets: an open connection keeps what listens to it. */
  readonly #onClose = (): void => {
    this.#active--
  }

  #missed(error: unknown): void {
    if (!isUpstreamFault(error)) return
    this.#failures.set(error.code, (this.#failures.get(error.code) ?? 0) + 1)
    this.#judge.failed(error)
  }

  #onChange(change: JudgeChange): void {
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
