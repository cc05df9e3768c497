// Which of the open upstreams gets the next connection. Each strategy sees only those that may have it, so health and backups
// are not its concern. A choice is one loop over plain numbers: with 1,000 upstreams it takes some microseconds.

import { hash } from 'node:crypto'
import type { Balance } from '../../config/index.ts'

/** What a strategy looks at, and what it keeps. */
export interface Candidate {
  /** At least 1. */
  readonly weight: number
  /** Open connections, and those that are still connecting. */
  readonly active: number
  /** Of its name, for `source-hash`. */
  readonly seed: Seed
  /** What it is owed by those that take turns; 0 at first. */
  credit: number
}

/** Picks one of at least one. `source` is the client's address, undefined if it has none. */
export type Balancer = <T extends Candidate>(candidates: readonly T[], source: string | undefined) => T

/** 64 bits, as two integers: no two of 1,000 names have the same. */
export interface Seed {
  readonly start: number
  readonly factor: number
}

/** 2^32: the draws that there are. */
const DRAWS = 0x1_0000_0000

const STRATEGIES: Readonly<Record<Balance, Balancer>> = {
  'round-robin': candidates => takeTurns(candidates, () => true),
  'least-connections': leastConnections,
  'source-hash': sourceHash,
}

export function balancer(balance: Balance): Balancer {
  return STRATEGIES[balance]
}

/** The seed of a name. */
export function seedOf(name: string): Seed {
  const digest = hash('sha256', name, 'buffer')
  return { start: digest.readInt32LE(0), factor: digest.readInt32LE(4) | 1 } // an odd factor loses no bit
}

/** Smooth: weights 5, 1, 1 give a a b a c a a and never five in a row. In every cycle each has exactly its share. */
function takeTurns<T extends Candidate>(candidates: readonly T[], takesPart: (candidate: T) => boolean): T {
  let next = candidates[0] as T // there is at least one
  let most = -Infinity
  let total = 0
  for (const candidate of candidates) {
    if (!takesPart(candidate)) continue
    total += candidate.weight
    const credit = (candidate.credit += candidate.weight)
    if (credit <= most) continue
    most = credit
    next = candidate
  }
  next.credit -= total
  return next
}

/** The lowest load by weight, this connection included; equals take turns. */
function leastConnections<T extends Candidate>(candidates: readonly T[]): T {
  let lowest = Infinity
  for (const candidate of candidates) {
    const load = loadOf(candidate)
    if (load < lowest) lowest = load
  }
  return takeTurns(candidates, candidate => loadOf(candidate) === lowest)
}

function loadOf({ active, weight }: Candidate): number {
  return (active + 1) / weight
}

/**
 * Rendezvous hashing: each upstream draws a number for the client, and the highest wins. If an upstream goes, its clients go to
 * the next highest, and no other client moves. Clients without an address take turns.
 *
 * With u even in (0, 1), -weight / ln(u) is the highest of all with a chance that is exactly the share of the weight. A lower
 * draw at no higher weight cannot win, so that few logarithms are needed.
 */
function sourceHash<T extends Candidate>(candidates: readonly T[], source: string | undefined): T {
  if (source === undefined) return takeTurns(candidates, () => true)
  const client = seedOf(source)
  let best = candidates[0] as T // there is at least one
  let bestDraw = -1
  let bestScore = -1
  for (const candidate of candidates) {
    const draw = drawOf(candidate.seed, client)
    if (draw <= bestDraw && candidate.weight <= best.weight) continue
    const score = -candidate.weight / Math.log((draw + 0.5) / DRAWS)
    if (score <= bestScore) continue
    best = candidate
    bestDraw = draw
    bestScore = score
  }
  return best
}

/** The last step of MurmurHash3 over what both seeds give: each bit of them changes half of the bits of the outcome. */
function drawOf(seed: Seed, client: Seed): number {
  let bits = (seed.start ^ client.start) + Math.imul(seed.factor, client.factor)
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
