// --help, the JSON Schema and docs/config.md show the description, unit and default given here.

import { z } from 'zod'

/** Node's timers take no more, and fire after 1 ms beyond it. */
export const MAX_MILLISECONDS = 2_147_483_647

export interface KeyMeta {
  readonly description: string
  readonly unit?: 'ms' | 'bytes'
  /** The default in words, unless it is a fixed value. */
  readonly defaultIs?: string
  /** The option without its dashes; `PROXYPROTOCOL_...` follows from it. */
  readonly flag?: string
  readonly placeholder?: string
  readonly bare?: string
  readonly short?: string
  readonly examples?: readonly string[]
}

export interface IntegerKey extends KeyMeta {
  readonly default: number
  readonly min?: number
  readonly max?: number
}

export function meta(key: KeyMeta): z.core.GlobalMeta {
  return { ...key }
}

export const NAME = 'up to 64 letters, digits and any of ". _ : - [ ]"'

export function nameText(): z.ZodString {
  return z.string().regex(/^[\w.:[\]-]{1,64}$/, {
    error: ({ input }) => `must be ${NAME}, got ${JSON.stringify(input)}`,
  })
}

/** From 1 ms, because 0 has no agreed meaning. */
export function milliseconds(key: Omit<IntegerKey, 'unit'>): z.ZodDefault<z.ZodNumber> {
  return integer({ max: MAX_MILLISECONDS, ...key, unit: 'ms' })
}

const UNIT_LENGTHS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const

export function duration(): z.ZodType<number, number | string> {
  const text = z
    .string()
    .meta({ examples: ['500ms', '10s'] })
    .transform((written, { issues }) => {
      const [, count, unit] = /^([1-9]\d{0,9})(ms|s|m|h)$/.exec(written) ?? []
      const length = Number(count) * UNIT_LENGTHS[unit as keyof typeof UNIT_LENGTHS] // the pattern has no other
      if (length <= MAX_MILLISECONDS) return length
      const message =
        `must be a duration from 1 to ${String(MAX_MILLISECONDS)} ms such as "500ms", "10s", "5m" or "1h", ` +
        `got ${JSON.stringify(written)}`
      issues.push({ code: 'custom', message, input: written })
      return z.NEVER
    })
  return z.union([bounded(1, MAX_MILLISECONDS), text])
}

export function integer(key: IntegerKey): z.ZodDefault<z.ZodNumber> {
  const { min, max, ...said } = key
  return bounded(min, max).default(key.default).meta(meta(said))
}

export function bounded(min = 1, max: number = Number.MAX_SAFE_INTEGER): z.ZodNumber {
  return z.int().min(min).max(max)
}
