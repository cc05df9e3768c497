// Keys of the configuration as a zod schema tells them: the description, unit and default that a key has here are what
// `--help`, the JSON Schema and docs/config.md say of it.

import { z } from 'zod'

/** Node's timers take no more (about 24.8 days); beyond it they fire after 1 ms. */
export const MAX_MILLISECONDS = 2_147_483_647

/** What is said of a key besides its type; zod hands it on to the JSON Schema. */
export interface KeyMeta {
  /** One sentence or two, without unit and default. */
  readonly description: string
  readonly unit?: 'ms' | 'bytes'
  /** The default in words, where it is no fixed value. */
  readonly defaultIs?: string
  /** The option without its dashes that sets the key for all services; `PROXYPROTOCOL_...` is made from it. */
  readonly flag?: string
  /** What stands for the value in `--help`, where its type does not say. */
  readonly placeholder?: string
  /** What the flag stands for without a value. */
  readonly bare?: string
  /** The flag's one letter. */
  readonly short?: string
  /** Values that are right, for messages about those that are not. */
  readonly examples?: readonly string[]
}

/** A key that holds an integer. */
export interface IntegerKey extends KeyMeta {
  readonly default: number
  readonly min?: number
  readonly max?: number
}

/** The metadata of a key, as zod takes it. */
export function meta(key: KeyMeta): z.core.GlobalMeta {
  return { ...key }
}

/** A duration; from 1 ms unless `min` says otherwise, for nobody agrees on what 0 would mean. */
export function milliseconds(key: Omit<IntegerKey, 'unit'>): z.ZodDefault<z.ZodNumber> {
  return integer({ max: MAX_MILLISECONDS, ...key, unit: 'ms' })
}

/** Milliseconds in one of each. */
const UNIT_LENGTHS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const

/** A duration in milliseconds, or as text with its unit: "500ms", "10s", "5m", "1h"; settled in milliseconds. */
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

/** An integer with its default, from 1 unless `min` says otherwise. */
export function integer(key: IntegerKey): z.ZodDefault<z.ZodNumber> {
  const { min, max, ...said } = key
  return bounded(min, max).default(key.default).meta(meta(said))
}

/** An integer from 1 unless `min` says otherwise. */
export function bounded(min = 1, max: number = Number.MAX_SAFE_INTEGER): z.ZodNumber {
  return z.int().min(min).max(max)
}
