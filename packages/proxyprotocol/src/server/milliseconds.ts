// Durations as options: checked where they are given, because Node's timers take a wrong one for "at once".

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
