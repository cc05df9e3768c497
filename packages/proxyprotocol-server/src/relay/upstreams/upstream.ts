// One upstream and what is known of it: its counters, the mark that failed connections leave, and what its checks say.
// A mark is a guess, and gives way when nothing else is left; the verdict of checks is knowledge, and does not.

import { isIPv4, type Socket } from 'node:net'
import type { Endpoint, ErrorCode, ProxyProtocolError } from 'proxyprotocol'
import {
  formatPlace,
  type ActiveCheck,
  type Address,
  type PassiveHealth,
  type UpstreamSettings,
} from '../../config/index.ts'
import { isUpstreamFault } from './upstream-fault.ts'

/**
 * `probing`: marked, the cooldown is over, and one connection at a time finds out. `drained`: its weight is 0, so it gets no
 * connections, whatever its checks say.
 */
export type UpstreamState = 'up' | 'down' | 'probing' | 'drained'

/** A failure, `age` milliseconds ago. */
export interface UpstreamFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly age: number
}

/** Active checks so far. */
export interface CheckCounts {
  readonly passed: number
  readonly failed: number
  /** Since the verdict could last have changed: checks in a row with the same result. */
  readonly streak: number
  readonly verdict: 'up' | 'down'
  readonly lastFailure: UpstreamFailure | undefined
}

/** One upstream as it is at the moment, plain data. */
export interface UpstreamSnapshot {
  readonly name: string
  /** As address strings have it, without what follows the question mark. */
  readonly address: string
  readonly weight: number
  readonly backup: boolean
  readonly state: UpstreamState
  /** Connections that it has now, those included that are still connecting. */
  readonly active: number
  /** Connections that stood. */
  readonly total: number
  /** Attempts to connect that failed, checks left out. */
  readonly failures: Readonly<Partial<Record<ErrorCode, number>>>
  readonly lastFailure: UpstreamFailure | undefined
  /** Undefined where it is not checked. */
  readonly checks: CheckCounts | undefined
}

/** What an upstream needs besides its settings. */
export interface UpstreamContext {
  readonly health: PassiveHealth
  readonly check: ActiveCheck | undefined
  /** Milliseconds, from a clock that is never set back. */
  readonly now: () => number
}

interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly at: number
}

export class Upstream {
  readonly settings: UpstreamSettings
  /** Where it stands; undefined where each of its connections has to be asked. */
  readonly endpoint: Endpoint | undefined
  readonly #context: UpstreamContext
  readonly #failures = new Map<ErrorCode, number>()
  readonly #checks = { passed: 0, failed: 0, streak: 0, verdict: 'up' as 'up' | 'down' }
  /** When it failed since it last stood; the last `fails` times. */
  #recent: number[] = []
  /** When the cooldown ends; undefined without a mark. */
  #markedUntil: number | undefined
  /** Connections that are trying although it is marked. */
  #trials = 0
  #active = 0
  #total = 0
  #failedAt = 0
  #lastFailure: Failure | undefined
  #lastCheckFailure: Failure | undefined

  constructor(settings: UpstreamSettings, context: UpstreamContext) {
    this.settings = settings
    this.endpoint = endpointOf(settings.address)
    this.#context = context
  }

  get name(): string {
    return this.settings.name
  }

  get weight(): number {
    return this.settings.weight
  }

  get active(): number {
    return this.#active
  }

  get state(): UpstreamState {
    if (this.weight === 0) return 'drained'
    if (!this.isHealthy) return 'down'
    if (this.#markedUntil === undefined) return 'up'
    return this.#trials > 0 || this.#context.now() >= this.#markedUntil ? 'probing' : 'down'
  }

  /** Whether it takes its turn: it is up, or one connection is to find out. */
  get isOpen(): boolean {
    const { state } = this
    return state === 'up' || (state === 'probing' && this.#trials === 0)
  }

  /** Whether its checks do not speak against it. */
  get isHealthy(): boolean {
    return this.#checks.verdict === 'up'
  }

  /** When a connection last failed. */
  get failedAt(): number {
    return this.#failedAt
  }

  /** Runs an attempt to connect, and counts it until its socket is closed. Rejects as the attempt does. */
  async attempt<T extends Socket>(connecting: () => Promise<T>): Promise<T> {
    const isTrial = this.#markedUntil !== undefined
    if (isTrial) this.#trials++
    this.#active++
    try {
      const socket = await connecting()
      this.#total++
      this.#unmark()
      socket.on('close', this.#onClose)
      return socket
    } catch (error) {
      this.#active--
      if (isUpstreamFault(error)) this.#failed(error, isTrial)
      throw error
    } finally {
      if (isTrial) this.#trials--
    }
  }

  /** Takes note of a check, and of its fault where it failed. */
  checked(check: ActiveCheck, fault: ProxyProtocolError | undefined): void {
    const checks = this.#checks
    const result = fault === undefined ? 'passed' : 'failed'
    checks[result]++
    if (fault) this.#lastCheckFailure = { code: fault.code, message: fault.message, at: this.#context.now() }
    const goesOn = (result === 'passed') === checks.streak > 0
    checks.streak = (goesOn ? checks.streak : 0) + (result === 'passed' ? 1 : -1)
    if (checks.streak <= -check.fall) checks.verdict = 'down'
    if (checks.streak < check.rise) return
    checks.verdict = 'up'
    this.#unmark()
  }

  snapshot(): UpstreamSnapshot {
    const { name, address, weight, backup } = this.settings
    const { check } = this.#context
    return {
      name,
      address: formatPlace(address),
      weight,
      backup,
      state: this.state,
      active: this.#active,
      total: this.#total,
      failures: Object.fromEntries(this.#failures),
      lastFailure: this.#aged(this.#lastFailure),
      checks: check && {
        ...this.#checks,
        streak: Math.abs(this.#checks.streak),
        lastFailure: this.#aged(this.#lastCheckFailure),
      },
    }
  }

  /** One for all of its sockets: an open connection keeps what listens to it. */
  readonly #onClose = (): void => {
    this.#active--
  }

  #failed({ code, message }: ProxyProtocolError, wasTrial: boolean): void {
    const { health, now } = this.#context
    const at = now()
    this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1)
    this.#lastFailure = { code, message, at }
    this.#failedAt = at
    if (health.fails === 0) return
    this.#recent = [...this.#recent, at].slice(-health.fails)
    const [first = at] = this.#recent
    const tooMany = this.#recent.length === health.fails && at - first <= health.window
    // One that began before the mark and fails late must not make the mark last longer.
    if (!wasTrial && (this.#markedUntil !== undefined || !tooMany)) return
    this.#markedUntil = at + health.cooldown
    this.#checks.streak = 0
  }

  #unmark(): void {
    this.#recent = []
    this.#markedUntil = undefined
  }

  #aged(failure: Failure | undefined): UpstreamFailure | undefined {
    if (failure === undefined) return undefined
    const { code, message, at } = failure
    return { code, message, age: this.#context.now() - at }
  }
}

function endpointOf(address: Address): Endpoint | undefined {
  if (address.transport === 'unix') return { path: address.path }
  const { host = '', port } = address
  return isIPv4(host) && host !== '0.0.0.0' ? { address: host, port } : undefined // 0.0.0.0 leads to loopback
}
