// Numbers as options: checked where they are given, because Node's timers take a wrong duration for "at once", and a
// limit that is no number would be no limit.

import { inspect } from 'node:util'

/** Node's timers take no more (about 24.8 days); beyond it they fire after 1 ms. */
const MAX_MILLISECONDS = 2_147_483_647

/**
 * The duration as it was given.
 *
 * @throws RangeError naming the option when it is no number of milliseconds that a timer can wait.
 */
export function milliseconds(value: number, name: string): number {
  if (Number.isFinite(value) && value >= 0 && value <= MAX_MILLISECONDS) return value
  throw new RangeError(`${name} must be milliseconds from 0 to ${MAX_MILLISECONDS}, got ${inspect(value)}`)
}

/**
 * The limit as it was given: a positive integer, or `Infinity` for none.
 *
 * @throws RangeError naming the option.
 */
export function limit(value: number, name: string): number {
  if (value === Infinity || (Number.isInteger(value) && value > 0)) return value
  throw new RangeError(`${name} must be a positive integer or Infinity, got ${inspect(value)}`)
}

/** @throws TypeError naming what is no object. */
export function checkObject(value: unknown, name: string): asserts value is object {
  if (typeof value === 'object' && value !== null) return
  throw new TypeError(`${name} must be an object, got ${inspect(value, { depth: 0 })}`)
}

/**
 * Checks that an options object has no names but these: a misspelt limit must not be no limit.
 *
 * @param prefix of the names in the message, such as `limits.`
 * @throws TypeError naming the option and those there are.
 */
export function checkNames(options: object | null, known: readonly string[], prefix = ''): void {
  checkObject(options, prefix.slice(0, -1) || 'options')
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const names = known.map(each => prefix + each).join(', ')
    throw new TypeError(`there is no option ${prefix}${name}; there are ${names}`)
  }
}

/** The value, if it is one of these words. */
export function oneOf<T extends string>(value: T, words: readonly T[], name: string): T {
  if (words.includes(value)) return value
  throw new TypeError(`${name} must be ${words.map(word => `'${word}'`).join(' or ')}, got ${inspect(value)}`)
}
