// Times contenders in interleaved rounds (A B C, B C A, ...), so that whatever else the machine does falls on all alike.
//
// The clock is the CPU time of the whole process: garbage collection and compilation count, on every thread; waiting for
// a busy CPU does not.

import { median } from '../median.ts'
import type { Row } from './contender.ts'

/** Does a task once, with the next input each time. */
export type Once = () => void

/** What the rounds say of one contender. */
export interface Times {
  /** CPU time of one operation, the median of the rounds. */
  readonly nanoseconds: number
  /** The median of what it is in each round as a multiple of ours: a CPU that slows down slows a round down as a whole. */
  readonly timesOurs: number
}

/** Long enough for a collection of the young generation, short enough for the same speed of the CPU in a round. */
const ROUND_NS = 15e6
/** Calls between two looks at the clock, which counts microseconds: some tenths of a millisecond. */
const BATCH = 4096
/** More calls than V8 wants to see before it optimises for good. */
const WARM_UP_CALLS = 20_000

/** Each contender of a row with the inputs in turn. */
export function inTurn<Input>({ contenders, inputs }: Row<Input>): readonly Once[] {
  return contenders.map(({ run }) => {
    let next = 0
    return () => {
      run(inputs[next] as Input) // next stays below the length
      next = next + 1 === inputs.length ? 0 : next + 1
    }
  })
}

/** Calls everything in turn until V8 has seen all shapes at all call sites. */
export function warmUp(all: readonly Once[]): void {
  for (let i = 0; i < WARM_UP_CALLS; i++) for (const once of all) once()
}

/** Times all in turn; the first is ours. */
export function timesOf(all: readonly Once[], rounds: number): readonly Times[] {
  all.forEach(timeOf) // warms up again: V8 throws away code that was not in use for long
  const times = all.map((): number[] => [])
  for (let turn = 0; turn < rounds * all.length; turn++) {
    const round = Math.floor(turn / all.length)
    const index = (turn + round) % all.length
    times[index]?.push(timeOf(all[index] as Once)) // the remainder is below the length
  }
  const [ours = []] = times
  return times.map(each => ({
    nanoseconds: median(each),
    timesOurs: median(each.map((time, round) => time / (ours[round] ?? NaN))),
  }))
}

/** CPU nanoseconds of one call, in one round; a call that takes long needs a smaller batch. */
export function timeOf(once: Once, batch = BATCH): number {
  const start = cpuTime()
  let elapsed = 0
  let calls = 0
  while (elapsed < ROUND_NS) {
    for (let i = 0; i < batch; i++) once()
    calls += batch
    elapsed = cpuTime() - start
  }
  return elapsed / calls
}

function cpuTime(): number {
  const { user, system } = process.cpuUsage()
  return 1000 * (user + system)
}
