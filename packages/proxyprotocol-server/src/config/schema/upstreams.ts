// The keys about a service's upstreams.

import { z } from 'zod'
import {
  type Balance,
  balances,
  MAX_WEIGHT,
  nameConflict,
  type NameResolution,
  poolDefaults,
  type PoolInit,
  type UpstreamInit,
} from '../pool.ts'
import { address } from './address.ts'
import { type CheckText, type HealthText, ownCheckSchema } from './health/index.ts'
import { limitKeys, type QueueText, sourceProblem } from './upstream-limits.ts'
import {
  integer,
  type IntegerKey,
  MAX_MILLISECONDS,
  measure,
  meta,
  milliseconds,
  nameText,
  type Timed,
} from './keys.ts'

const { weight, backup, resolve } = poolDefaults

const MAX = 1_000
/** The relay looks at each upstream for every connection, and checks each by itself. */
const MAX_UPSTREAMS = 1_000

/** One upstream as users write it: its address, or an object. */
export type UpstreamText =
  | string
  | {
      readonly address: string
      readonly name?: string | undefined
      readonly weight?: number | undefined
      readonly backup?: boolean | undefined
      readonly maxConnections?: number | undefined
      readonly source?: string | undefined
      readonly check?: CheckText | undefined
    }

/** Options about upstreams as users write them. */
export interface PoolOptions extends Omit<PoolInit, 'upstreams' | 'health' | 'resolve' | 'queue'> {
  readonly health?: HealthText | undefined
  readonly resolve?: Timed<NameResolution, 'interval' | 'staleAfter' | 'drain'> | undefined
  readonly queue?: QueueText | undefined
  readonly upstreams?: readonly UpstreamText[] | undefined
}

const SAYS =
  'Where to connect: `HOST:PORT`, `unix:/PATH`, `srv:NAME`. It gets a version 2 header, with `?pp=v1` a version 1 header, with ' +
  '`?pp=noop` none. `ssl://HOST:PORT` speaks TLS behind the header. With `udp://HOST:PORT` each datagram gets the ' +
  'header, with `?pp=spp` that of Spectrum.'

export const upstreamSchema: z.ZodType<UpstreamInit['address'], string> = address({
  description: SAYS,
  examples: ['192.0.2.1:8080', '192.0.2.1:8080?pp=v1'],
})

const upstreamObject = z.strictObject({
  address: upstreamSchema,
  name: nameText()
    .optional()
    .meta(
      meta({
        description: 'Its name in the log, and its key for "source-hash".',
        defaultIs: 'its address',
        examples: ['app1'],
      }),
    ),
  weight: count({
    description: 'Its share of the connections; 0 drains it.',
    default: weight,
    min: 0,
    max: MAX_WEIGHT,
  }),
  backup: z
    .boolean()
    .default(backup)
    .meta(meta({ description: 'Gets connections only while no other is up.' })),
  ...limitKeys,
  check: ownCheckSchema,
})

export const upstreamList: z.ZodType<readonly UpstreamInit[], readonly UpstreamText[]> = z
  .array(z.union([upstreamSchema.transform((text): UpstreamInit => ({ address: text })), upstreamObject]))
  .min(1)
  .max(MAX_UPSTREAMS)
  .check(({ value, issues }) => {
    for (const [at, upstream] of value.entries()) {
      const message = sourceProblem(upstream)
      if (message !== undefined)
        issues.push({ code: 'custom', input: upstream.source, path: [at, 'source'], message })
    }
    const conflict = nameConflict(value)
    if (conflict)
      issues.push({ code: 'custom', input: value, path: [conflict.at], message: conflict.message })
  })

export const upstreamsSchema: z.ZodType<
  readonly UpstreamInit[] | undefined,
  readonly UpstreamText[] | undefined
> = upstreamList.optional().meta(
  meta({
    description: 'Several upstreams instead of `upstream`: addresses or objects.',
    defaultIs: 'that of `upstream`',
  }),
)

export const balanceSchema: z.ZodType<Balance, Balance | undefined> = z
  .enum(balances)
  .default(poolDefaults.balance)
  .meta(
    meta({
      description:
        'Which upstream gets a connection: in turn, the one with the fewest for its weight, or the same one for ' +
        'the same client.',
    }),
  )

export const retriesSchema: z.ZodType<number, number | undefined> = count({
  description: 'Other upstreams, or other addresses of one, to try if connecting fails.',
  default: poolDefaults.retries,
  min: 0,
})

export const resolveSchema: z.ZodType<PoolInit['resolve'], PoolOptions['resolve']> = z
  .strictObject({
    interval: milliseconds({
      description: "From one answer about the upstream's name to the next look-up, in the background.",
      default: resolve.interval,
    }),
    maxMembers: count({
      description: 'Addresses of one name that are used: current ones first, then the lowest.',
      default: resolve.maxMembers,
    }),
    staleAfter: measure('ms', 1, MAX_MILLISECONDS)
      .optional()
      .meta(
        meta({
          description:
            'How long the last answer is used while look-ups fail; after that connections end as `no_upstream`.',
          unit: 'ms',
          defaultIs: 'for ever',
        }),
      ),
    drain: measure('ms', 1, MAX_MILLISECONDS)
      .optional()
      .meta(
        meta({
          description:
            'How long connections to an address go on after it has left; then they end as `upstream_removed`.',
          unit: 'ms',
          defaultIs: 'for ever',
        }),
      ),
  })
  .prefault({})
  .meta(meta({ description: 'How names of upstreams are resolved.' }))

function count(key: IntegerKey): z.ZodDefault<z.ZodNumber> {
  return integer({ max: MAX, ...key })
}
