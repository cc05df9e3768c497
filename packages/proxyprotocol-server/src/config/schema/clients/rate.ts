// The section `rate` of a service: how fast a client may connect.

import { z } from 'zod'
import { bounded, meta, milliseconds } from '../keys.ts'
import { entryProblem } from '../../networks.ts'

/** How fast one client, or one IPv6 /64, may connect, with defaults. */
export interface Rate {
  readonly connections: number
  readonly per: number
  /** Connections at once, for a client that had none for long. */
  readonly burst: number
  /** Networks without a limit on rate or open connections (`limits.perSource`). */
  readonly exempt: readonly string[]
}

/** As users write it. */
export interface RateInit {
  readonly connections: number
  /** Milliseconds, or text such as `10s`. Default 1000. */
  readonly per?: number | string | undefined
  /** Default: as `connections`. */
  readonly burst?: number | undefined
  readonly exempt?: readonly string[] | undefined
}

const MAX_CONNECTIONS = 1_000_000
const DEFAULT_PER = 1_000

const network = z
  .string()
  .check(({ value, issues }) => {
    const message = entryProblem(value)
    if (message !== undefined) issues.push({ code: 'custom', message, input: value })
  })
  .meta({ examples: ['10.0.0.0/8', '2001:db8::1'] })

export const rateSchema: z.ZodType<Rate | undefined, RateInit | undefined> = z
  .strictObject({
    connections: bounded(1, MAX_CONNECTIONS).meta(
      meta({ description: 'New connections of one client in `per`.', flag: 'rate', placeholder: 'count' }),
    ),
    per: milliseconds({ description: 'The time for them.', default: DEFAULT_PER, flag: 'rate-per' }),
    burst: bounded(1, MAX_CONNECTIONS)
      .optional()
      .meta(
        meta({
          description: 'New connections that a client may open at once.',
          defaultIs: '`connections`',
          flag: 'rate-burst',
        }),
      ),
    exempt: z
      .array(network)
      .default([])
      .meta(
        meta({
          description: 'Networks without a limit, on the rate and on `limits.perSource`.',
          flag: 'rate-exempt',
          placeholder: 'CIDR,...',
        }),
      ),
  })
  .transform(rate => ({ ...rate, burst: rate.burst ?? rate.connections }))
  .optional()
  .meta(
    meta({
      description:
        'How fast one client address, or one IPv6 /64 network, may open connections, or flows. `overLimit` applies ' +
        'to those above it. Each worker counts alone.',
      defaultIs: 'no limit',
    }),
  )
