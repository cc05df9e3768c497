// What both translators build: services as users write them, and notes on what they leave out.

import type { ServiceInit, UpstreamText } from '../../config/index.ts'

export type UpstreamDraft = Exclude<UpstreamText, string>

export interface Directive {
  readonly name: string
  readonly args: readonly string[]
  readonly line: number
  readonly block?: readonly Directive[]
}

export interface Note {
  readonly line: number
  readonly directive: string
  readonly why: string
}

export interface Draft {
  readonly services: readonly ServiceInit[]
  readonly notes: readonly Note[]
}

/** Takes a directive into the state, or returns what it cannot say. */
export type Rule<State> = (state: State, args: readonly string[], directive: Directive) => string | undefined

/** Rules by name, or by name and first argument. */
export type Table<State> = Readonly<Record<string, Rule<State>>>

export const NO_COUNTERPART = 'it has no counterpart'

export function translate<State>(
  directives: readonly Directive[],
  table: Table<State>,
  state: State,
): readonly Note[] {
  return directives.flatMap(directive => {
    const { name, args, line } = directive
    const long = `${name} ${args[0] ?? ''}`
    const isLong = Object.hasOwn(table, long)
    const key = isLong ? long : name
    const rule = Object.hasOwn(table, key) ? table[key] : undefined
    const why = rule ? rule(state, isLong ? args.slice(1) : args, directive) : NO_COUNTERPART
    return why === undefined ? [] : [{ line, directive: rule ? key : long.trim(), why }]
  })
}

const MILLISECONDS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** @param bare the unit of a number without one. */
export function duration(text: string, bare: 'ms' | 's'): string | number | undefined {
  if (/^\d+(?:ms|s|m|h)$/.test(text)) return text
  if (!/^(?:\d+(?:us|ms|s|m|h|d))*(?:\d+)?$/.test(text) || text === '') return undefined
  const parts = [...text.matchAll(/(\d+)(\D*)/g)]
  const sum = parts.reduce(
    (before, [, amount, unit]) =>
      before + Number(amount) * Number(MILLISECONDS[unit === '' ? bare : String(unit)]),
    0,
  )
  return Math.ceil(sum)
}

/** `:PORT` stands for every interface of both families. */
export function joinFamilies(listens: readonly string[]): readonly string[] {
  const joined = listens.map(listen => {
    const [, other, rest = ''] = /^(?:(0\.0\.0\.0)|\[::\])(:.*)$/.exec(listen) ?? []
    const twin = other === undefined ? `0.0.0.0${rest}` : `[::]${rest}`
    return rest !== '' && listens.includes(twin) ? rest : listen
  })
  return [...new Set(joined)]
}

/** Without what is undefined; undefined if nothing is left. */
export function filled<Value extends object>(value: Value): Value | undefined {
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as Value) // keys of its own type
}
