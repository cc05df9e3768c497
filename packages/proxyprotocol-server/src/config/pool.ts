// Fills in the defaults for a service's upstreams and names each.

import { inspect } from 'node:util'
import { type Address, formatEndpoint, type PpMode, type UdpMode } from './address/index.ts'
import { filled, type Optional } from './filled.ts'
import {
  type ActiveCheck,
  type CheckInit,
  healthDefaults,
  type HealthInit,
  mergedCheck,
  type PassiveHealth,
  settleCheck,
} from './health.ts'

export const balances = ['round-robin', 'least-connections', 'source-hash'] as const

export const MAX_WEIGHT = 1_000

/** How connections are balanced. */
export type Balance = (typeof balances)[number]

/** Defaults; durations in milliseconds. */
export const poolDefaults = {
  balance: 'round-robin',
  /** Two others: the time for connecting rarely allows a third. */
  retries: 2,
  weight: 1,
  backup: false,
  /** A backlog that a client still waits for. */
  queue: { size: 100, timeout: 5_000 },
  resolve: {
    interval: 30_000,
    /** Bounds a wrong answer. */
    maxMembers: 64,
    /** A name service that is down must not stop a service that is up. */
    staleAfter: undefined,
    /** Long connections may go on for days. */
    drain: undefined,
  },
} as const

/** The header for an upstream; `'none'` for payload alone, `'spp'` for datagrams only. */
export type SentHeader = 'v1' | 'v2' | 'spp' | 'none'

/** The Python library takes an upstream without `pp` as `detect`, and a detecting sender writes version 2. */
const SENT: Readonly<Record<PpMode | Exclude<UdpMode, 'unsafe-first'>, SentHeader>> = {
  v1: 'v1',
  v2: 'v2',
  detect: 'v2',
  spp: 'spp',
  noop: 'none',
}

export interface UpstreamInit {
  readonly address: Address
  /** Default: the address without its query. */
  readonly name?: string | undefined
  /** Default: what the address says in `pp`. */
  readonly header?: SentHeader | undefined
  /** Its share; 0 drains it. Default 1. */
  readonly weight?: number | undefined
  /** Used only while no other is up. Default false. */
  readonly backup?: boolean | undefined
  /** Connections, or flows of datagrams, at a time to each of its addresses. Default: any number. */
  readonly maxConnections?: number | undefined
  /** The local IP address to connect from. Default: the system's choice. */
  readonly source?: string | undefined
  /** Keys that win over those of the pool's check. */
  readonly check?: CheckInit | undefined
}

/** How names are resolved; durations in milliseconds. */
export interface NameResolution {
  /** From an answer to the next look-up. Default 30000. */
  readonly interval: number
  /** Addresses of one name that are used. Default 64. */
  readonly maxMembers: number
  /** How long the last answer is used while look-ups fail. Default: for ever. */
  readonly staleAfter: number | undefined
  /** How long connections to an address may go on that has left its name. Default: for ever. */
  readonly drain: number | undefined
}

/** Connections that wait while every upstream that is up has as many as it may. */
export interface QueueSettings {
  /** Default 100. */
  readonly size: number
  /** Milliseconds. Default 5000. */
  readonly timeout: number
}

export interface PoolInit {
  readonly upstreams: readonly UpstreamInit[]
  /** Default `round-robin`. */
  readonly balance?: Balance | undefined
  /** Other members that are tried if connecting fails. Default 2. */
  readonly retries?: number | undefined
  readonly health?: HealthInit | undefined
  readonly resolve?: Optional<NameResolution> | undefined
  readonly queue?: Optional<QueueSettings> | undefined
}

/** One upstream with its defaults. */
export interface UpstreamSettings {
  readonly name: string
  readonly address: Address
  readonly header: SentHeader
  readonly weight: number
  readonly backup: boolean
  readonly maxConnections: number
  readonly source: string | undefined
  /** Undefined without health checks. */
  readonly check: ActiveCheck | undefined
}

/** The upstreams of a service and their options, with defaults. */
export interface Pool {
  readonly upstreams: readonly UpstreamSettings[]
  readonly balance: Balance
  readonly retries: number
  readonly health: PassiveHealth
  readonly resolve: NameResolution
  readonly queue: QueueSettings
}

export function settlePool(init: PoolInit): Pool {
  const { upstreams, balance = poolDefaults.balance, retries = poolDefaults.retries, health = {} } = init
  const { check, ...passive } = health
  return {
    upstreams: upstreams.map(upstream => settleUpstream(upstream, check)),
    balance,
    retries,
    health: filled<PassiveHealth>(healthDefaults, passive),
    resolve: filled<NameResolution>(poolDefaults.resolve, init.resolve ?? {}),
    queue: filled<QueueSettings>(poolDefaults.queue, init.queue ?? {}),
  }
}

export function sentHeader({ pp = 'detect' }: Pick<Address, 'pp'>): SentHeader {
  return SENT[pp as keyof typeof SENT] // an upstream address has no other modes
}

/** @param names those that are taken; it gets these, too. */
export function nameConflict(
  upstreams: readonly UpstreamInit[],
  names: Set<string> = new Set<string>(),
): { readonly at: number; readonly message: string } | undefined {
  for (const [at, name] of upstreams.map(nameOf).entries()) {
    const message = `must be another upstream, got a second ${inspect(name)}; give one more weight, or a name of its own`
    if (names.has(name)) return { at, message }
    names.add(name)
  }
  return undefined
}

function nameOf({ address, name = formatEndpoint(address) }: UpstreamInit): string {
  return name
}

function settleUpstream(upstream: UpstreamInit, common: CheckInit | undefined): UpstreamSettings {
  const { address, header = sentHeader(address) } = upstream
  const { weight = poolDefaults.weight, backup = poolDefaults.backup } = upstream
  const { maxConnections = Infinity, source } = upstream
  const own = upstream.check ?? common
  const check = own && settleCheck(mergedCheck(own, common), address)
  return { name: nameOf(upstream), address, header, weight, backup, maxConnections, source, check }
}
