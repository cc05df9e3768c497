// Which of the open upstreams gets the next connection.

import { hash } from 'node:crypto'
import type { Balance } from '../../config/index.ts'

export interface Candidate {
  readonly weight: number
  readonly active: number
  readonly seed: Seed
  /** What it is owed in turns. */
  credit: number
}

export type Balancer = <T extends Candidate>(candidates: readonly T[], source: string | undefined) => T

/** 64 bits as two integers, because 32 would collide among 1,000 names. */
export interface Seed {
  readonly start: number
  readonly factor: number
}

const DRAWS = 0x1_0000_0000

const STRATEGIES: Readonly<Record<Balance, Balancer>> = {
  'round-robin': candidates => takeTurns(candidates, () => true),
  'least-connections': leastConnections,
  'source-hash': sourceHash,
}

export function balancer(balance: Balance): Balancer {
  return STRATEGIES[balance]
}

export function seedOf(name: string): Seed {
  const digest = hash('sha256', name, 'buffer')
  return { start: digest.readInt32LE(0), factor: digest.readInt32LE(4) | 1 } // an odd factor loses no bit
}

/** Smooth: weights 5, 1, 1 give a a b a c a a, never five in a row. */
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
 * Weighted rendezvous hashing. With u even in (0, 1), -weight / ln(u) is the highest with a chance of the share of the
 * weight. A lower draw at no higher weight cannot win, which saves logarithms.
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

/** The last step of MurmurHash3. */
function drawOf(seed: Seed, client: Seed): number {
  let bits = (seed.start ^ client.start) + Math.imul(seed.factor, client.factor)
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
