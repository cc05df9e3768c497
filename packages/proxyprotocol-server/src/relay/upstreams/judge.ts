// What is thought of one member of an upstream: a pure state machine, fed with what connections and checks have come to. A
// mark is a guess from failures in a row, and gives way when nothing else is left; the verdict of checks is knowledge, and
// does not. Either kind of failure counts in the rows of both.

import type { ErrorCode } from 'proxyprotocol'
import type { ActiveCheck, PassiveHealth } from '../../config/index.ts'
import type { UpstreamState } from '../../figures/index.ts'

/** `probing`: it is down, and its last check was good. */
export type Judgement = Extract<UpstreamState, 'up' | 'down' | 'probing'>

/** What failed, and when. */
export interface Failure {
  readonly code: ErrorCode
  readonly message: string
}

/** A failure and its time, in milliseconds of the judge's clock. */
export interface DatedFailure extends Failure {
  readonly at: number
}

/** What a judgement rests on. */
export interface Evidence {
  /** When it failed since a connection or check was last good; the last `fails` times. */
  readonly recent: readonly number[]
  /** Whether too many of those lay within the window. */
  readonly marked: boolean
  readonly verdict: 'up' | 'down'
  /** Whether it cannot be used any more, whatever else is known of it. */
  readonly condemned: boolean
  /** Connections that failed since a connection or check was last good. */
  readonly failedConnections: number
  /** Checks in a row. */
  readonly failedChecks: number
  /** Checks in a row, those before a mark left out: they could not know. */
  readonly goodChecks: number
  /** When a connection or check last failed; 0 for never. */
  readonly failedAt: number
  readonly lastFailure: DatedFailure | undefined
  readonly lastCheckFailure: DatedFailure | undefined
  /** Since when it is not up; undefined while it is. */
  readonly downSince: number | undefined
}

/** From up to anything else, or back. */
export type JudgeChange =
  | { readonly isUp: false; readonly at: number; readonly failure: Failure }
  | { readonly isUp: true; readonly at: number }

/** What a judge goes by. */
export interface JudgeRules {
  readonly health: PassiveHealth
  /** Undefined where only marks bring a member down; one good try takes a mark away then. */
  readonly check: ActiveCheck | undefined
  /** Milliseconds, from a clock that is never set back. */
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

  /** Whether nothing that is known speaks against it; a mark is only a guess. */
  get isHealthy(): boolean {
    return isHealthy(this.#evidence)
  }

  get state(): Judgement {
    if (isUp(this.#evidence)) return 'up'
    return this.#evidence.goodChecks > 0 ? 'probing' : 'down'
  }

  /** A connection stands: it ends the row of failed connections, and takes a mark away. */
  connected(): void {
    const { recent, marked, failedConnections } = this.#evidence
    if (recent.length === 0 && !marked && failedConnections === 0) return // as nearly always
    this.#take({ recent: [], marked: false, failedConnections: 0 })
  }

  /** A connection failed. */
  failed(fault: Failure): void {
    const lastFailure = this.#dated(fault)
    const failedConnections = this.#evidence.failedConnections + 1
    this.#take({ ...this.#fallen(lastFailure.at), failedConnections, lastFailure }, lastFailure)
  }

  /** A check, or a try of the relay's own where there are no checks, was good, or failed with the fault. */
  checked(fault: Failure | undefined): void {
    if (fault === undefined) this.#good()
    else this.#bad(this.#dated(fault))
  }

  /** It cannot be used any more, whatever else is known of it. */
  condemn(fault: Failure): void {
    const lastFailure = this.#dated(fault)
    this.#take({ condemned: true, failedAt: lastFailure.at, lastFailure }, lastFailure)
  }

  /** Nothing is held against it any more. */
  acquit(): void {
    this.#take(NOTHING)
  }

  /** Begins with what another one knew, as far as its own rules could take it back; that is no change. */
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

  /** What a failure of either kind adds to the row that marks. */
  #fallen(at: number): Partial<Evidence> {
    const { fails, window } = this.#rules.health
    if (fails === 0) return { failedAt: at }
    const recent = [...this.#evidence.recent, at].slice(-fails)
    const [first = at] = recent
    const marks = !this.#evidence.marked && recent.length === fails && at - first <= window
    return marks ? { recent, failedAt: at, marked: true, goodChecks: 0 } : { recent, failedAt: at }
  }

  /** @param failure what has led to it; without one it is news of something good. */
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
