import { z } from 'zod'
import { defaultTimeouts } from 'proxyprotocol/server'
import { isObject } from '../text/index.ts'
import { flowTimeouts } from './datagrams.ts'
import { MAX_MILLISECONDS, measure, meta, milliseconds } from './keys.ts'

/** The timeouts of a service, in milliseconds. */
export interface ServiceTimeouts {
  /** For the upstream: its name and all of its addresses. */
  readonly connect: number
  /** From accept to the last byte of the header, a wait for a connection slot included. */
  readonly header: number
  /** Without a byte in either direction; `Infinity` for never. */
  readonly idle: number
  /** Silence of one side after the other has ended. */
  readonly halfClose: number
  /** Silence before the kernel probes a peer. */
  readonly keepAlive: number
  /** From an abort to the report of a connection as stuck. */
  readonly abort: number
  /** UDP only: silence before a new flow ends. */
  readonly flow?: number | undefined
  /** UDP only: the same once the client has spoken after a reply. */
  readonly confirmed?: number | undefined
}

/** Timeouts as users write them: milliseconds, or text such as `10s`; `idle` may be `never`. */
export type ServiceTimeoutsInit = { readonly [Key in keyof ServiceTimeouts]?: number | string | undefined }

/** Timeouts that start when the route is known. */
export type RouteTimeouts = Omit<ServiceTimeouts, ServiceOnly>

export type RouteTimeoutsInit = Omit<ServiceTimeoutsInit, ServiceOnly>

const SERVICE_ONLY = ['header', 'abort', 'flow', 'confirmed'] as const

type ServiceOnly = (typeof SERVICE_ONLY)[number]

const DEFAULT_CONNECT_TIMEOUT = 5_000
/** Most NATs forget a connection later. */
const DEFAULT_KEEP_ALIVE = 60_000
/** The kernel counts in seconds. */
const MIN_KEEP_ALIVE = 1_000

const connect = milliseconds({
  description: 'For connecting to the upstream: its name, and all of its addresses.',
  default: DEFAULT_CONNECT_TIMEOUT,
  flag: 'connect-timeout',
})

const later = {
  idle: z
    .union([measure('ms', 1, MAX_MILLISECONDS), z.literal('never')])
    .transform(idle => (idle === 'never' ? Infinity : idle))
    .prefault(defaultTimeouts.idle)
    .meta(
      meta({
        description:
          'A connection without a byte in either direction is reset after this time, up to a quarter later; "never" ' +
          'keeps it.',
        unit: 'ms',
        flag: 'idle-timeout',
      }),
    ),
  halfClose: milliseconds({
    description:
      'Silence of one side after the other has ended. Then the connection is closed, or reset if it has bytes ' +
      'to deliver.',
    default: defaultTimeouts.halfClose,
    flag: 'half-close-timeout',
  }),
  keepAlive: milliseconds({
    description: 'Silence before the kernel probes the other end; counted in whole seconds.',
    default: DEFAULT_KEEP_ALIVE,
    min: MIN_KEEP_ALIVE,
    flag: 'keep-alive',
  }),
}

export const timeoutsSchema: z.ZodType<ServiceTimeouts, ServiceTimeoutsInit | undefined> = z
  .strictObject({
    connect,
    header: milliseconds({
      description:
        'From accept to the last byte of the header, and for a wait for a connection slot. Below 3000 a header ' +
        'whose segment is lost and sent again comes too late.',
      default: defaultTimeouts.header,
      flag: 'header-timeout',
    }),
    ...later,
    abort: milliseconds({
      description: 'How long an aborted connection may take to end before it is reported as stuck.',
      default: defaultTimeouts.abort,
      flag: 'abort-timeout',
    }),
    ...flowTimeouts,
  })
  .prefault({})
  .meta(meta({ description: 'Timeouts of the service.' }))

export const routeTimeoutsSchema: z.ZodType<RouteTimeouts, RouteTimeoutsInit | undefined> = z
  .strictObject({ connect, ...later })
  .prefault({})
  .meta(
    meta({
      description:
        'Timeouts that start when the route is known: `connect`, `idle`, `halfClose` and `keepAlive`.',
    }),
  )

/** Those that a route has too, as they are written. */
export function serviceTimeouts(written: unknown): unknown {
  if (!isObject(written)) return written
  const keys: readonly string[] = SERVICE_ONLY
  return Object.fromEntries(Object.entries(written).filter(([key]) => !keys.includes(key)))
}
