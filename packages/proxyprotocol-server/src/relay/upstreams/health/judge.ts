// A mark is a guess, and yields if nothing else is left. Failed checks are knowledge, and do not yield.

import type { ActiveCheck, PassiveHealth } from '../../../config/index.ts'
import type { FailureCode, UpstreamFailure, UpstreamState } from '../../../figures/index.ts'

export type Judgement = Extract<UpstreamState, 'up' | 'down' | 'probing'>

export interface Failure {
  readonly code: FailureCode
  readonly message: string
}

export interface DatedFailure extends Failure {
  readonly at: number
}

export interface Evidence {
  readonly recent: readonly number[]
  readonly marked: boolean
  readonly verdict: 'up' | 'down'
  readonly condemned: boolean
  readonly failedConnections: number
  readonly failedChecks: number
  readonly goodChecks: number
  readonly failedAt: number
  readonly lastFailure: DatedFailure | undefined
  readonly lastCheckFailure: DatedFailure | undefined
  readonly downSince: number | undefined
}

export type JudgeChange =
  | { readonly isUp: false; readonly at: number; readonly failure: Failure }
  | { readonly isUp: true; readonly at: number }

export interface JudgeRules {
  readonly health: PassiveHealth
  /** One success removes a mark. */
  readonly check: ActiveCheck | undefined
  readonly now: () => number
  readonly onChange: (change: JudgeChange) => void
}

const NOTHING: Evidence = {
  recent: [],
  marked: false,
  verdict: 'up',
  condemned: false,
  failedConnections: 0,
  failedChecks: 0,
  goodChecks: 0,
  failedAt: 0,
  lastFailure: undefined,
  lastCheckFailure: undefined,
  downSince: undefined,
}

export class Judge {
  readonly #rules: JudgeRules
  #evidence = NOTHING

  constructor(rules: JudgeRules) {
    this.#rules = rules
  }

  get evidence(): Evidence {
    return this.#evidence
  }

  get isHealthy(): boolean {
    return isHealthy(this.#evidence)
  }

  get state(): Judgement {
    if (isUp(this.#evidence)) return 'up'
    return this.#evidence.goodChecks > 0 ? 'probing' : 'down'
  }

  connected(): void {
    const { recent, marked, failedConnections } = this.#evidence
    if (recent.length === 0 && !marked && failedConnections === 0) return // the usual case
    this.#take({ recent: [], marked: false, failedConnections: 0 })
  }

  failed(fault: Failure): void {
    const lastFailure = this.#dated(fault)
    const failedConnections = this.#evidence.failedConnections + 1
    this.#take({ ...this.#fallen(lastFailure.at), failedConnections, lastFailure }, lastFailure)
  }

  checked(fault: Failure | undefined): void {
    if (fault === undefined) this.#good()
    else this.#bad(this.#dated(fault))
  }

  condemn(fault: Failure): void {
    const lastFailure = this.#dated(fault)
    this.#take({ condemned: true, failedAt: lastFailure.at, lastFailure }, lastFailure)
  }

  acquit(): void {
    this.#take(NOTHING)
  }

  /** Takes over what its own rules could undo. */
  inherit(evidence: Evidence): void {
    const { check, health } = this.#rules
    const unchecked = check ? {} : { verdict: 'up' as const, failedChecks: 0, goodChecks: 0 }
    const unmarked = health.fails > 0 ? {} : { marked: false, recent: [] }
    const kept = { ...evidence, ...unchecked, ...unmarked }
    this.#evidence = isUp(kept) ? { ...kept, downSince: undefined } : kept
  }

  #good(): void {
    const { rise } = this.#rules.check ?? { rise: 1 }
    const goodChecks = this.#evidence.goodChecks + 1
    const row = { recent: [], failedConnections: 0, failedChecks: 0, goodChecks }
    this.#take(goodChecks < rise ? row : { ...row, verdict: 'up', marked: false })
  }

  #bad(lastCheckFailure: DatedFailure): void {
    const { fall } = this.#rules.check ?? { fall: Infinity }
    const { failedConnections, verdict } = this.#evidence
    const failedChecks = this.#evidence.failedChecks + 1
    const isDown = failedChecks + failedConnections >= fall
    this.#take(
      {
        ...this.#fallen(lastCheckFailure.at),
        ...{ failedChecks, goodChecks: 0, verdict: isDown ? 'down' : verdict, lastCheckFailure },
      },
      lastCheckFailure,
    )
  }

  #fallen(at: number): Partial<Evidence> {
    const { fails, window } = this.#rules.health
    if (fails === 0) return { failedAt: at }
    const recent = [...this.#evidence.recent, at].slice(-fails)
    const [first = at] = recent
    const marks = !this.#evidence.marked && recent.length === fails && at - first <= window
    return marks ? { recent, failedAt: at, marked: true, goodChecks: 0 } : { recent, failedAt: at }
  }

  #take(news: Partial<Evidence>, failure?: DatedFailure): void {
    const before = this.#evidence
    const after = { ...before, ...news }
    this.#evidence = after
    if (isUp(before) === isUp(after)) return
    const { now, onChange } = this.#rules
    if (failure) {
      this.#evidence = { ...after, downSince: failure.at }
      onChange({ isUp: false, at: failure.at, failure })
    } else {
      this.#evidence = { ...after, downSince: undefined }
      onChange({ isUp: true, at: now() })
    }
  }

  #dated({ code, message }: Failure): DatedFailure {
    return { code, message, at: this.#rules.now() }
  }
}

function isHealthy({ verdict, condemned }: Evidence): boolean {
  return verdict === 'up' && !condemned
}

function isUp(evidence: Evidence): boolean {
  return isHealthy(evidence) && !evidence.marked
}

export function agedFailure(failure: DatedFailure | undefined, now: number): UpstreamFailure | undefined {
  if (failure === undefined) return undefined
  const { code, message, at } = failure
  return { code, message, age: now - at }
}
