// The section `rate` of a service: how many connections a client may open in some time.

import { z } from 'zod'
import { bounded, duration, meta } from '../keys.ts'
import { trustProblem } from '../../trust.ts'

/** More at once are no limit. */
const MAX_CONNECTIONS = 1_000_000
/** A rate without a time is one a second, as people say it. */
const DEFAULT_PER = 1_000

/** How fast one client, of IPv6 one /64, may open connections; settled. */
export interface Rate {
  /** So many connections in `per`. */
  readonly connections: number
  /** Milliseconds. */
  readonly per: number
  /** So many at once, of a client that had none for long. */
  readonly burst: number
  /** Networks without a limit, nor one on open connections (`limits.perSource`). */
  readonly exempt: readonly string[]
}

/** As a user writes it; what is left out has its default. */
export interface RateInit {
  readonly connections: number
  /** Milliseconds, or text such as `10s`. Default 1000. */
  readonly per?: number | string | undefined
  /** Default: as `connections`. */
  readonly burst?: number | undefined
  readonly exempt?: readonly string[] | undefined
}

const network = z
  .string()
  .check(({ value, issues }) => {
    const message = trustProblem([value])
    if (message !== undefined) issues.push({ code: 'custom', message, input: value })
  })
  .meta({ examples: ['10.0.0.0/8', '2001:db8::1'] })

export const rateSchema: z.ZodType<Rate | undefined, RateInit | undefined> = z
  .strictObject({
    connections: bounded(1, MAX_CONNECTIONS).meta(
      meta({ description: 'New connections of one client in `per`.', flag: 'rate', placeholder: 'count' }),
    ),
    per: duration()
      .default(DEFAULT_PER)
      .meta(
        meta({
          description: 'The time for them: milliseconds, or text such as "10s".',
          flag: 'rate-per',
          placeholder: 'duration',
        }),
      ),
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
        'How fast one client address, for IPv6 one /64 network, may open connections. `overLimit` says what happens to those ' +
        'above it. Each worker counts alone.',
      defaultIs: 'no limit',
    }),
  )
