// Settles what a service says of its upstreams: fills in the defaults, and names each upstream. The schema has checked it all.

import { inspect } from 'node:util'
import { type Address, formatEndpoint, type PpMode } from './address/index.ts'

/** How the connections of a service are shared out among its upstreams. */
export const balances = ['round-robin', 'least-connections', 'source-hash'] as const

/** How connections are shared out. */
export type Balance = (typeof balances)[number]

/** What holds where nothing is said; durations in milliseconds. */
export const poolDefaults = {
  balance: 'round-robin',
  /** Two others: a third would rarely be reached within the time for connecting. */
  retries: 2,
  weight: 1,
  backup: false,
  /** One failure may be a packet lost; three in a row are not, and ten seconds are short for a restart. */
  health: { fails: 3, window: 10_000, cooldown: 10_000 },
  check: { interval: 5_000, timeout: 2_000, rise: 2, fall: 3, header: true },
  resolve: {
    /** As long as addresses in clusters are commonly valid. */
    interval: 30_000,
    /** Each is watched and checked on its own; more than most services have, and a wrong answer must not grow without end. */
    maxMembers: 64,
    /** Old addresses are better than none: a name service that is down must not stop a service that is up. */
    staleAfter: undefined,
  },
} as const

/** The header that an upstream is sent; `'none'` for the bytes alone. */
export type SentHeader = 'v1' | 'v2' | 'none'

/** An upstream without `pp` counts as `detect` in the Python library, and a detecting sender writes version 2. */
const SENT: Readonly<Record<PpMode, SentHeader>> = { v1: 'v1', v2: 'v2', detect: 'v2', noop: 'none' }

/** One upstream of a service. */
export interface UpstreamInit {
  readonly address: Address
  /** In logs and statistics, and what `source-hash` knows it by. Default: the address without what follows its question mark. */
  readonly name?: string | undefined
  /** What the address says in `pp`, where this is not given. */
  readonly header?: SentHeader | undefined
  /** Its share beside the others; with 0 it is drained, and gets no connections. Default 1. */
  readonly weight?: number | undefined
  /** Used only while no other is up. Default false. */
  readonly backup?: boolean | undefined
}

/** When failures to connect mark an upstream as down; durations in milliseconds. */
export interface PassiveHealth {
  /** So many failures in a row mark it, of connections and of checks; 0 for never. Default 3. */
  readonly fails: number
  /** The time within which they have to lie. Default 10000. */
  readonly window: number
  /** Until the relay tries what is marked and not checked with a connection of its own, and from there to the next try. Default 10000. */
  readonly cooldown: number
}

/** How an upstream is checked; durations in milliseconds. */
export interface ActiveCheck {
  /** From the end of one check to the start of the next. Default 5000. */
  readonly interval: number
  /** For connecting, and again for the upstream to close. Default 2000. */
  readonly timeout: number
  /** Good checks in a row that it takes to be up again. Default 2. */
  readonly rise: number
  /** Failures in a row that it takes to be down, of checks and of connections; the last one is a check. Default 3. */
  readonly fall: number
  /** Sends a header that names no client, where the upstream is sent headers at all. Default true. */
  readonly header: boolean
}

/** How names are looked up; durations in milliseconds. */
export interface NameResolution {
  /** From one answer to the next question. Default 30000. */
  readonly interval: number
  /** Addresses of one name that are used. Default 64. */
  readonly maxMembers: number
  /** How long the last answer is used while the name service fails; undefined, the default, for as long as it takes. */
  readonly staleAfter: number | undefined
}

type Optional<T> = { readonly [Key in keyof T]?: T[Key] | undefined }

/** What is said of a service's upstreams. */
export interface PoolInit {
  readonly upstreams: readonly UpstreamInit[]
  /** Default `round-robin`. */
  readonly balance?: Balance | undefined
  /** Other upstreams, and other addresses of their names, that a connection is tried at where connecting fails. Default 2. */
  readonly retries?: number | undefined
  /** Upstreams are checked only where there is a `check`; `{}` is one with all defaults. */
  readonly health?:
    (Optional<PassiveHealth> & { readonly check?: Optional<ActiveCheck> | undefined }) | undefined
  readonly resolve?: Optional<NameResolution> | undefined
}

/** One upstream, settled. */
export interface UpstreamSettings {
  readonly name: string
  readonly address: Address
  readonly header: SentHeader
  readonly weight: number
  readonly backup: boolean
}

/** The upstreams of a service and how they are used, settled. */
export interface Pool {
  readonly upstreams: readonly UpstreamSettings[]
  readonly balance: Balance
  readonly retries: number
  readonly health: PassiveHealth
  /** Undefined where upstreams are not checked. */
  readonly check: ActiveCheck | undefined
  readonly resolve: NameResolution
}

/** Fills in the defaults. */
export function settlePool(init: PoolInit): Pool {
  const { upstreams, balance = poolDefaults.balance, retries = poolDefaults.retries, health = {} } = init
  const { check, ...passive } = health
  return {
    upstreams: upstreams.map(settleUpstream),
    balance,
    retries,
    health: filled<PassiveHealth>(poolDefaults.health, passive),
    check: check && filled<ActiveCheck>(poolDefaults.check, check),
    resolve: filled<NameResolution>(poolDefaults.resolve, init.resolve ?? {}),
  }
}

/** The header that an address asks for. */
export function sentHeader({ pp = 'detect' }: Pick<Address, 'pp'>): SentHeader {
  return SENT[pp]
}

/** The first of them that has the name of another, which would be one place in the log and in statistics. */
export function nameConflict(
  upstreams: readonly UpstreamInit[],
): { readonly at: number; readonly message: string } | undefined {
  const names = upstreams.map(nameOf)
  const at = names.findIndex((name, index) => names.indexOf(name) !== index)
  if (at === -1) return undefined
  return { at, message: `it is a second ${inspect(names[at])}; give one more weight, or a name of its own` }
}

function nameOf({ address, name = formatEndpoint(address) }: UpstreamInit): string {
  return name
}

function settleUpstream(upstream: UpstreamInit): UpstreamSettings {
  const { address, header = sentHeader(address) } = upstream
  const { weight = poolDefaults.weight, backup = poolDefaults.backup } = upstream
  return { name: nameOf(upstream), address, header, weight, backup }
}

function filled<T extends object>(defaults: T, given: Optional<T>): T {
  const values = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(values) }
}
