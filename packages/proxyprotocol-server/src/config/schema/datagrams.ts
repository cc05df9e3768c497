// What only services of datagrams have, and which other keys mean nothing for them.

import type { z } from 'zod'
import type { Address } from '../address/index.ts'
import { type CheckInit, type HealthInit, mergedCheck } from '../health.ts'
import type { UpstreamInit } from '../pool.ts'
import { isObject } from '../text/index.ts'
import { bounded, MAX_MILLISECONDS, measure, meta } from './keys.ts'

/** What a service of datagrams has beside the keys of all services; durations in milliseconds. */
export interface DatagramSettings {
  /** Flows at a time, as configured. */
  readonly flows: number
  /** Silence before a new flow ends. */
  readonly flow: number
  /** The same once the client has spoken after a reply. */
  readonly confirmed: number
  /** Replies after which a flow ends. */
  readonly replies: number | undefined
  /** Bytes to the client for each byte from it, while its flow is new. */
  readonly replyFactor: number | undefined
}

const DEFAULT_FLOWS = 10_000
const MAX_FLOWS = 1_000_000
const DEFAULT_FLOW_TIMEOUT = 30_000
/** NAT mappings must live two minutes (RFC 4787, REQ-5). */
const DEFAULT_CONFIRMED_TIMEOUT = 120_000
const MAX_REPLIES = 1_000
const MAX_REPLY_FACTOR = 1_000

export const flowsSchema: z.ZodOptional<z.ZodType<number, number>> = bounded(1, MAX_FLOWS)
  .optional()
  .meta(
    meta({
      description: 'UDP: flows at a time, as far as open files and local ports allow.',
      defaultIs: String(DEFAULT_FLOWS),
    }),
  )

type Duration = z.ZodOptional<z.ZodType<number, number | string>>

export const flowTimeouts: { readonly flow: Duration; readonly confirmed: Duration } = {
  flow: duration('UDP: silence before a new flow ends.', String(DEFAULT_FLOW_TIMEOUT)),
  confirmed: duration(
    'UDP: the same once the client has sent again after a reply.',
    `${String(DEFAULT_CONFIRMED_TIMEOUT)}, or \`flow\` if that is more`,
  ),
}

function duration(description: string, defaultIs: string): Duration {
  return measure('ms', 1, MAX_MILLISECONDS)
    .optional()
    .meta(meta({ description, unit: 'ms', defaultIs }))
}

export const datagramKeys: {
  readonly replies: z.ZodOptional<z.ZodType<number, number>>
  readonly replyFactor: z.ZodOptional<z.ZodType<number, number>>
} = {
  replies: bounded(1, MAX_REPLIES)
    .optional()
    .meta(
      meta({
        description:
          'UDP: a flow ends after so many replies, once each request has one; 1 for DNS. Ends of flows are not logged then.',
        defaultIs: 'any number',
      }),
    ),
  replyFactor: bounded(1, MAX_REPLY_FACTOR)
    .optional()
    .meta(
      meta({
        description:
          'UDP: bytes to a client for each byte from it while its flow is new; replies above that are dropped.',
        defaultIs: 'no limit',
      }),
    ),
}

type Path = readonly string[]

/** For TCP and UNIX sockets alone. */
const OF_CONNECTIONS: readonly Path[] = [
  ...['retries', 'queue', 'tlvs', 'passthrough', 'tls', 'dnsbl', 'backlog', 'overLimit', 'allowVpce'].map(
    key => [key],
  ),
  ...['connections', 'pendingHeaders'].map(key => ['limits', key]),
  ...['connect', 'header', 'idle', 'halfClose', 'keepAlive', 'abort'].map(key => ['timeouts', key]),
  ['health', 'onDown'],
  ['resolve', 'drain'],
  ['health', 'check', 'tls'],
]

const OF_DATAGRAMS: readonly Path[] = [
  ['replies'],
  ['replyFactor'],
  ['limits', 'flows'],
  ['timeouts', 'flow'],
  ['timeouts', 'confirmed'],
]

/** A faulty address is reported where it is parsed. */
function isUdp(listen: unknown): boolean {
  return [listen].flat().some(each => /^udp:\/\//i.test(String(each)))
}

/** Keys that mean nothing for a service that listens there. */
export function meaningless(listen: unknown): readonly Path[] {
  return isUdp(listen) ? OF_CONNECTIONS : OF_DATAGRAMS
}

interface Problem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** Looks at what was written, because later every key has its default. */
export function misplacedKeys(written: unknown): readonly Problem[] {
  if (!isObject(written)) return []
  const { listen } = written
  const [here, there] = isUdp(listen) ? ['UDP', 'TCP'] : ['TCP', 'UDP']
  return meaningless(listen)
    .filter(path => valueAt(written, path) !== undefined)
    .map(path => ({ path, message: `must stand in a ${there} service only, got one of ${here}` }))
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Readonly<Record<string, unknown>> | null | undefined)?.[key], // of any value
    value,
  )
}

interface Ends {
  readonly listen: readonly Address[]
  readonly upstreams: readonly UpstreamInit[]
  readonly health: HealthInit
}

/** Datagrams and connections do not mix in a service. */
export function transportProblems(
  { listen, upstreams, health }: Ends,
  isSingle: boolean,
): readonly Problem[] {
  const place = (at: number): Problem['path'] => (isSingle ? ['upstream'] : ['upstreams', at])
  const kinds = new Set(listen.map(each => kindOf(each)))
  const [kind] = kinds
  if (kinds.size > 1) return [{ path: ['listen'], message: 'must be all UDP or all TCP, got both' }]
  const strangers = upstreams.flatMap(({ address }, at) =>
    kindOf(address) === kind ? [] : [{ path: place(at), message: strangerAt(kindOf(address)) }],
  )
  return kind === 'UDP' ? [...strangers, ...checkProblems(health.check, upstreams, place)] : strangers
}

function kindOf({ transport }: Address): 'UDP' | 'TCP' {
  return transport === 'udp' ? 'UDP' : 'TCP'
}

function strangerAt(kind: 'UDP' | 'TCP'): string {
  return kind === 'UDP'
    ? 'must be a TCP or UNIX address like `listen`, got one of UDP'
    : 'must be an address of UDP like `listen`, got one of TCP; did you mean "udp://"?'
}

/** Only an answer shows that a UDP upstream is up. */
function checkProblems(
  common: CheckInit | undefined,
  upstreams: readonly UpstreamInit[],
  place: (at: number) => Problem['path'],
): readonly Problem[] {
  const own = upstreams.flatMap(({ check }, at) => (check ? [{ check, path: [...place(at), 'check'] }] : []))
  const all = [...(common ? [{ check: common, path: ['health', 'check'] }] : []), ...own]
  return all.flatMap(({ check, path }) => {
    const { type } = mergedCheck(check, common)
    if (type !== 'send-expect')
      return [
        { path: [...path, 'type'], message: `must be "send-expect" with UDP, got ${JSON.stringify(type)}` },
      ]
    return check.tls === undefined
      ? []
      : [{ path: [...path, 'tls'], message: 'must stand in a TCP service only, got one of UDP' }]
  })
}

interface Written {
  readonly limits: { readonly flows?: number | undefined }
  readonly timeouts: { readonly flow?: number | undefined; readonly confirmed?: number | undefined }
  readonly replies?: number | undefined
  readonly replyFactor?: number | undefined
}

export function datagramSettings(
  { transport }: Address,
  { limits, timeouts, replies, replyFactor }: Written,
): DatagramSettings | undefined {
  if (transport !== 'udp') return undefined
  const { flow = DEFAULT_FLOW_TIMEOUT } = timeouts
  const { confirmed = Math.max(DEFAULT_CONFIRMED_TIMEOUT, flow) } = timeouts
  return { flows: limits.flows ?? DEFAULT_FLOWS, flow, confirmed, replies, replyFactor }
}
