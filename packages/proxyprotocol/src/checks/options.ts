// Node's timers take a wrong duration for "at once", and a misspelt limit would be none.

import { quote } from './quote.ts'

/** The longest wait of a Node timer, about 24.8 days. A longer one fires after 1 ms. */
const MAX_MILLISECONDS = 2_147_483_647

export function milliseconds(value: number, name: string, least = 0): number {
  if (Number.isFinite(value) && value >= least && value <= MAX_MILLISECONDS) return value
  throw new RangeError(
    `${name} must be milliseconds from ${least} to ${MAX_MILLISECONDS}, got ${quote(value)}`,
  )
}

/** A positive integer, or `Infinity` for none. */
export function limit(value: number, name: string): number {
  if (value === Infinity || (Number.isInteger(value) && value > 0)) return value
  throw new RangeError(`${name} must be a positive integer or Infinity, got ${quote(value)}`)
}

export function integer(value: number, [least, most]: readonly [number, number], name: string): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new RangeError(`${name} must be an integer from ${least} to ${most}, got ${quote(value)}`)
}

export function boolean(value: boolean, name: string): boolean {
  if (typeof value === 'boolean') return value
  throw new TypeError(`${name} must be true or false, got ${quote(value)}`)
}

export function optionalFunction<F>(value: F, name: string): F {
  if (value === undefined || typeof value === 'function') return value
  throw new TypeError(`${name} must be a function, got ${quote(value)}`)
}

export function checkObject(value: unknown, name: string): asserts value is object {
  if (typeof value === 'object' && value !== null) return
  throw new TypeError(`${name} must be an object, got ${quote(value)}`)
}

export function checkNames(options: object | null, known: readonly string[], name = 'options'): void {
  checkObject(options, name)
  const unknown = Object.keys(options).find(each => !known.includes(each))
  if (unknown === undefined) return
  throw new TypeError(`${name} must have only ${known.join(', ')}, got ${quote(unknown)}`)
}

export function oneOf<T extends string>(value: T, words: readonly T[], name: string): T {
  if (words.includes(value)) return value
  throw new TypeError(`${name} must be ${words.map(word => `'${word}'`).join(' or ')}, got ${quote(value)}`)
}
