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
  /** The path of a section with the same keys. */
  readonly sameAs?: string
  readonly examples?: readonly string[]
}

/** With durations as text such as `10s`. */
export type Timed<Settings, Durations extends keyof Settings> = {
  readonly [Key in keyof Settings]?: Settings[Key] | (Key extends Durations ? string : never) | undefined
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

type Measure = 'ms' | 'bytes'

const FACTORS: Readonly<Record<Measure, ReadonlyMap<string, number>>> = {
  ms: new Map([
    ['ms', 1],
    ['s', 1_000],
    ['m', 60_000],
    ['h', 3_600_000],
  ]),
  bytes: new Map([
    ['B', 1],
    ['KiB', 1_024],
    ['MiB', 1_048_576],
  ]),
}
const EXAMPLES: Readonly<Record<Measure, string>> = { ms: '10s', bytes: '64KiB' }

/** From 1 ms, because 0 has no agreed meaning. */
export function milliseconds(
  key: Omit<IntegerKey, 'unit'>,
): z.ZodPrefault<z.ZodType<number, number | string>> {
  return measured('ms', { max: MAX_MILLISECONDS, ...key })
}

export function bytes(key: Omit<IntegerKey, 'unit'>): z.ZodPrefault<z.ZodType<number, number | string>> {
  return measured('bytes', key)
}

function measured(
  unit: Measure,
  { min, max, ...said }: IntegerKey,
): z.ZodPrefault<z.ZodType<number, number | string>> {
  return measure(unit, min, max)
    .prefault(said.default) // zod shows no default of a schema that transforms
    .meta(meta({ ...said, unit }))
}

/** A number of the unit, or text with a unit of its own. */
export function measure(unit: Measure, min = 1, max?: number): z.ZodType<number, number | string> {
  const number = bounded(min, max)
  const factors = FACTORS[unit]
  const text = z
    .string()
    .regex(new RegExp(`^\\d{1,10}(?:${[...factors.keys()].join('|')})$`))
    .meta({ examples: [EXAMPLES[unit]] })
    .transform(written => Number.parseInt(written, 10) * Number(factors.get(written.replace(/^\d+/, ''))))
    .pipe(number)
  return z.union([number, text])
}

export function integer(key: IntegerKey): z.ZodDefault<z.ZodNumber> {
  const { min, max, ...said } = key
  return bounded(min, max).default(key.default).meta(meta(said))
}

export function bounded(min = 1, max: number = Number.MAX_SAFE_INTEGER): z.ZodNumber {
  return z.int().min(min).max(max)
}
