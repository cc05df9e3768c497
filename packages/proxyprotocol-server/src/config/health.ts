// When an upstream is down, and how it is checked.

import { type Address, addressKey } from './address/index.ts'
import { filled, type Optional } from './filled.ts'

export const checkTypes = [
  'tcp',
  'http',
  'tls',
  'mysql',
  'postgresql',
  'smtp',
  'redis',
  'send-expect',
] as const

/** The conversation of a check; `tcp` only connects. */
export type CheckType = (typeof checkTypes)[number]

/** What happens to open connections of an upstream that its checks find down. */
export type OnDown = 'keep' | 'reset'

/** When failed connections mark an upstream as down, and what follows; durations in milliseconds. */
export interface PassiveHealth {
  /** Failures in a row, of connections and checks; 0 for never. Default 3. */
  readonly fails: number
  /** The time within which they must happen. Default 10000. */
  readonly window: number
  /** The time until the relay tries a marked member without checks, and between tries. Default 10000. */
  readonly cooldown: number
  /** What happens to open connections if checks find an upstream down. Default `'keep'`. */
  readonly onDown: OnDown
  /** The time in which the weight of a member rises after it was down, or is new. Default 0. */
  readonly slowStart: number
}

/** How an upstream is checked; durations in milliseconds. */
export interface ActiveCheck {
  /** Default `'tcp'`. */
  readonly type: CheckType
  /** From the end of a check to the start of the next. Default 5000. */
  readonly interval: number
  /** For connecting, again for the answer, and again for the upstream to close. Default 2000. */
  readonly timeout: number
  /** Passed checks in a row that bring it up. Default 2. */
  readonly rise: number
  /** Failures in a row that bring it down, of checks and connections; the last one is a check. Default 3. */
  readonly fall: number
  /** Sends a header that names no client, unless the upstream gets no headers. Default true. */
  readonly header: boolean
  /** Speaks TLS if the upstream does. Default true. */
  readonly tls: boolean
  /** Default: the upstream's. */
  readonly port: number | undefined
  /** A host name or IP address. Default: the upstream's. */
  readonly address: string | undefined
  /** Of an HTTP request. Default `'GET'`. */
  readonly method: 'GET' | 'HEAD' | 'OPTIONS'
  /** Of an HTTP request. Default `'/'`. */
  readonly path: string
  /** For HTTP, by default host and port of the check; for EHLO in SMTP, by default `localhost`. */
  readonly host: string
  /** The statuses of HTTP that pass. Default 200 to 399. */
  readonly status: { readonly first: number; readonly last: number }
  /** The name to request (SNI). */
  readonly servername: string | undefined
  /** An account of MySQL or PostgreSQL. */
  readonly user: string
  /** Bytes to send. */
  readonly send: Uint8Array
  /** Bytes that the answer must contain. */
  readonly expect: Uint8Array
}

export const healthDefaults: PassiveHealth = {
  // One failure may be a lost packet, three in a row are not; ten seconds are short for a restart.
  fails: 3,
  window: 10_000,
  cooldown: 10_000,
  onDown: 'keep',
  slowStart: 0,
}

export const checkDefaults: Omit<ActiveCheck, 'host'> = {
  type: 'tcp',
  interval: 5_000,
  timeout: 2_000,
  rise: 2,
  fall: 3,
  header: true,
  tls: true,
  port: undefined,
  address: undefined,
  method: 'GET',
  path: '/',
  status: { first: 200, last: 399 },
  servername: undefined,
  user: '',
  send: new Uint8Array(),
  expect: new Uint8Array(),
}

export type CheckInit = Optional<ActiveCheck>

/** Without `check` there are no checks; `{}` takes all defaults. */
export interface HealthInit extends Optional<PassiveHealth> {
  readonly check?: CheckInit | undefined
}

/** The keys that only some types have. */
const typesOf: Readonly<Partial<Record<keyof ActiveCheck, readonly CheckType[]>>> = {
  tls: checkTypes.filter(type => type !== 'tls'),
  method: ['http'],
  path: ['http'],
  host: ['http', 'smtp'],
  status: ['http'],
  servername: ['tls'],
  user: ['mysql', 'postgresql'],
  send: ['send-expect'],
  expect: ['send-expect'],
}

export function typesWith(key: string): readonly CheckType[] {
  return typesOf[key as keyof ActiveCheck] ?? checkTypes // other keys are not listed
}

/** A check with what it takes over from another one: keys that its type has. */
export function mergedCheck(
  own: CheckInit,
  common: CheckInit = {},
): CheckInit & { readonly type: CheckType } {
  const { type = common.type ?? checkDefaults.type } = own
  const kept = Object.entries(common).filter(([key]) => typesWith(key).includes(type))
  return { ...filled<CheckInit>(Object.fromEntries(kept), own), type }
}

/** The check of an upstream at this address. */
export function settleCheck(given: CheckInit, address: Address): ActiveCheck {
  const check = filled<Omit<ActiveCheck, 'host'>>(checkDefaults, given)
  return { ...check, host: given.host ?? (check.type === 'http' ? hostOf(address, given) : 'localhost') }
}

/** For the header `Host`. */
function hostOf(address: Address, { address: host, port }: CheckInit): string {
  const tcp = address.transport === 'tcp' ? address : { host: undefined, port: 0 }
  const place = { host: host ?? tcp.host ?? 'localhost', port: port ?? (tcp.port || undefined) }
  return place.port === undefined ? place.host : addressKey({ transport: 'tcp', ...place, port: place.port })
}
