// What a service says of its upstreams, settled once: every number has a value, and each upstream a name of its own.

import { inspect } from 'node:util'
import { formatPlace, type Address } from './address.ts'
import type { PpMode } from './address-query.ts'

/** Node's timers take no more. */
const MAX_MILLISECONDS = 2_147_483_647
/** Each is looked at for every connection, and checked on its own; whoever has more balances in front of the relay. */
const MAX_UPSTREAMS = 1_000
/** As fine as one could want to divide; also the most times that anything is counted up to. */
const MAX_COUNT = 1_000

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
  /** As long as addresses in clusters are commonly valid. */
  resolve: { interval: 30_000 },
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
  /** Its share beside the others; 0 gives it no connections. Default 1. */
  readonly weight?: number | undefined
  /** Used only while no other is up. Default false. */
  readonly backup?: boolean | undefined
}

/** When failures to connect mark an upstream as down; durations in milliseconds. */
export interface PassiveHealth {
  /** So many failures in a row mark it; 0 for never. Default 3. */
  readonly fails: number
  /** The time within which they have to lie. Default 10000. */
  readonly window: number
  /** How long the mark holds before one connection tries again. Default 10000. */
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
  /** Failed checks in a row that it takes to be down. Default 3. */
  readonly fall: number
  /** Sends a header that names no client, where the upstream is sent headers at all. Default true. */
  readonly header: boolean
}

/** When a name is asked for again; in milliseconds. */
export interface NameResolution {
  /** From one answer to the next question. Default 30000. */
  readonly interval: number
}

type Optional<T> = { readonly [Key in keyof T]?: T[Key] | undefined }

/** What is said of a service's upstreams. */
export interface PoolInit {
  readonly upstreams: readonly UpstreamInit[]
  /** Default `round-robin`. */
  readonly balance?: Balance | undefined
  /** Other upstreams that a connection is tried at where connecting fails. Default 2. */
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

/** From and to which number an option goes. */
type Range = readonly [least: number, most: number]

const MILLISECONDS: Range = [1, MAX_MILLISECONDS]
const COUNT: Range = [1, MAX_COUNT]
const HEALTH = { fails: [0, MAX_COUNT], window: MILLISECONDS, cooldown: MILLISECONDS } as const
const CHECK = {
  interval: MILLISECONDS,
  timeout: MILLISECONDS,
  rise: COUNT,
  fall: COUNT,
  header: 'boolean',
} as const

/**
 * Fills in the defaults.
 *
 * @throws TypeError or RangeError naming the option that is wrong.
 */
export function settlePool(init: PoolInit): Pool {
  const { upstreams, balance = poolDefaults.balance, retries = poolDefaults.retries, health = {} } = init
  const { check, ...passive } = health
  if (!balances.includes(balance)) {
    throw new TypeError(`balance must be one of ${balances.join(', ')}, got ${inspect(balance)}`)
  }
  checkNumber(retries, 'retries', [0, MAX_COUNT])
  return {
    upstreams: settleUpstreams(upstreams),
    balance,
    retries,
    health: filled<PassiveHealth>('health', passive, { defaults: poolDefaults.health, ranges: HEALTH }),
    check:
      check && filled<ActiveCheck>('health.check', check, { defaults: poolDefaults.check, ranges: CHECK }),
    resolve: filled<NameResolution>('resolve', init.resolve ?? {}, {
      defaults: poolDefaults.resolve,
      ranges: { interval: MILLISECONDS },
    }),
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

function nameOf({ address, name = formatPlace(address) }: UpstreamInit): string {
  return name
}

function settleUpstreams(upstreams: readonly UpstreamInit[]): readonly UpstreamSettings[] {
  if (upstreams.length < 1 || upstreams.length > MAX_UPSTREAMS) {
    throw new RangeError(`upstreams must be 1 to ${MAX_UPSTREAMS}, got ${upstreams.length}`)
  }
  const conflict = nameConflict(upstreams)
  if (conflict) throw new RangeError(`upstreams[${conflict.at}]: ${conflict.message}`)
  return upstreams.map((upstream, at) => {
    const { address, header = sentHeader(address) } = upstream
    const { weight = poolDefaults.weight, backup = poolDefaults.backup } = upstream
    checkNumber(weight, `upstreams[${at}].weight`, [0, MAX_COUNT])
    return { name: nameOf(upstream), address, header, weight, backup }
  })
}

/** What is given, over the defaults; a name that does not exist is refused, for a misspelt limit must not be none. */
function filled<T extends object>(
  section: string,
  given: Optional<T>,
  known: { readonly defaults: T; readonly ranges: Readonly<Record<keyof T, Range | 'boolean'>> },
): T {
  const ranges: Readonly<Record<string, Range | 'boolean' | undefined>> = known.ranges
  const values = Object.entries(given).filter(([, value]) => value !== undefined)
  for (const [key, value] of values) {
    const range = ranges[key]
    const name = `${section}.${key}`
    if (range === undefined) {
      throw new TypeError(`there is no option ${name}; there are ${Object.keys(ranges).join(', ')}`)
    }
    if (range !== 'boolean') checkNumber(value, name, range)
    else if (typeof value !== 'boolean') {
      throw new TypeError(`${name} must be true or false, got ${inspect(value)}`)
    }
  }
  return { ...known.defaults, ...Object.fromEntries(values) }
}

function checkNumber(value: unknown, name: string, [least, most]: Range): void {
  if (Number.isInteger(value) && Number(value) >= least && Number(value) <= most) return
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, got ${inspect(value)}`)
}
