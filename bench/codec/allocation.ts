// How many bytes an operation allocates: the growth of heap and external memory over some calls without a collection.
//
// Right after a full collection the young generation is empty, and a few hundred calls do not fill it, so nothing is
// freed in between; the median of several tries drops the one that a collection has hit all the same.

import { median } from '../median.ts'
import type { Once } from './measure.ts'

const CALLS = 250
const TRIES = 15

/** @throws Error where the process was started without `--expose-gc`. */
export function bytesPerCall(once: Once): number {
  const cost = growth(once, CALLS) - growth(once, 0)
  return Math.max(0, Math.round(cost / CALLS))
}

function growth(once: Once, calls: number): number {
  return median(Array.from({ length: TRIES }, () => growthOnce(once, calls)))
}

function growthOnce(once: Once, calls: number): number {
  if (globalThis.gc === undefined) throw new Error('start node with --expose-gc')
  globalThis.gc()
  const before = used()
  for (let i = 0; i < calls; i++) once()
  return used() - before
}

/** `external` has the memory of arrays that V8 keeps outside its heap. */
function used(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
