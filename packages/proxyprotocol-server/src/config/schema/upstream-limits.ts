// What bounds the connections to an upstream, and where they come from: `maxConnections` and `source` of an upstream,
// and the section `queue` of a service.

import { isIP } from 'node:net'
import { z } from 'zod'
import { poolDefaults, type PoolInit, type UpstreamInit } from '../pool.ts'
import { bounded, integer, meta, milliseconds } from './keys.ts'

/** More clients than would wait out their turn. */
const MAX_QUEUE = 10_000

export const limitKeys: {
  readonly maxConnections: z.ZodType<number | undefined, number | undefined>
  readonly source: z.ZodType<string | undefined, string | undefined>
} = {
  maxConnections: bounded()
    .optional()
    .meta(
      meta({
        description:
          'Connections at a time to each of its addresses; others wait in `queue`. With UDP flows, which do not wait.',
        defaultIs: 'any number',
      }),
    ),
  source: z
    .string()
    .refine(text => isIP(text) !== 0, {
      error: ({ input }) => `must be an IP address of this machine, got ${JSON.stringify(input)}`,
    })
    .optional()
    .meta(
      meta({
        description: 'The local IP address to connect from, of the same family.',
        defaultIs: "the system's choice",
        examples: ['192.0.2.9'],
      }),
    ),
}

export const queueSchema: z.ZodType<PoolInit['queue'], QueueText | undefined> = z
  .strictObject({
    size: integer({
      description:
        'Connections that wait at a time; 0 for none. The reason of those beyond is `limit_upstream`.',
      default: poolDefaults.queue.size,
      min: 0,
      max: MAX_QUEUE,
    }),
    timeout: milliseconds({
      description: 'How long one waits; then it ends as `queue_timeout`.',
      default: poolDefaults.queue.timeout,
    }),
  })
  .prefault({})
  .meta(
    meta({
      description: 'Connections that wait while all upstreams that are up have their `maxConnections`.',
    }),
  )

export interface QueueText {
  readonly size?: number | undefined
  readonly timeout?: number | string | undefined
}

export function sourceProblem({ address, source }: UpstreamInit): string | undefined {
  if (source === undefined || isIP(source) === 0) return undefined
  if (address.transport === 'unix') return 'must not stand at a UNIX socket, which has no addresses'
  const family = isIP(String(address.host))
  if (family === 0 || family === isIP(source)) return undefined
  return `must be an IPv${String(family)} address like the upstream, got ${JSON.stringify(source)}`
}
