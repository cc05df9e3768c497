// Picks one of the open upstreams. Strategies see only those that may have the connection, so they ignore health and
// backups.

import { hash } from 'node:crypto'
import type { Balance } from '../../config/index.ts'

/** What a strategy looks at. */
export interface Candidate {
  readonly name: string
  /** At least 1. */
  readonly weight: number
  /** Current connections, connecting ones included. */
  readonly active: number
}

/** Picks one of at least one. `source` is the client's address, if it has one. */
export type Balancer = <T extends Candidate>(candidates: readonly T[], source: string | undefined) => T

/** 2^48, for six bytes of a digest, which a double holds exactly. */
const HASH_SPAN = 0x1_0000_0000_0000
const HASH_BYTES = 6

const STRATEGIES: Readonly<Record<Balance, () => Balancer>> = {
  'round-robin': roundRobin,
  'least-connections': leastConnections,
  'source-hash': sourceHash,
}

/** The balancer for a strategy. Each service has its own, because it remembers the turn. */
export function balancer(balance: Balance): Balancer {
  return STRATEGIES[balance]()
}

/** Smooth: weights 5, 1, 1 give a a b a c a a. In every cycle each has exactly its share. */
function roundRobin(): Balancer {
  const credits = new WeakMap<Candidate, number>()
  function creditOf(candidate: Candidate): number {
    return credits.get(candidate) ?? 0
  }
  return candidates => {
    let total = 0
    for (const candidate of candidates) {
      total += candidate.weight
      credits.set(candidate, creditOf(candidate) + candidate.weight)
    }
    const next = candidates.reduce((best, each) => (creditOf(each) > creditOf(best) ? each : best))
    credits.set(next, creditOf(next) - total)
    return next
  }
}

/** The lowest load after this connection, by weight; equal ones take turns. */
function leastConnections(): Balancer {
  const takeTurns = roundRobin()
  return (candidates, source) => {
    const loads = candidates.map(({ active, weight }) => (active + 1) / weight)
    const lowest = Math.min(...loads)
    return takeTurns(
      candidates.filter((_, at) => loads[at] === lowest),
      source,
    )
  }
}

/**
 * Rendezvous hashing: each upstream draws a number for the client, and the highest wins. An upstream that goes away
 * moves only its own clients. Clients without an address take turns.
 */
function sourceHash(): Balancer {
  const takeTurns = roundRobin()
  return (candidates, source) => {
    if (source === undefined) return takeTurns(candidates, source)
    const scored = candidates.map(candidate => ({ candidate, score: scoreOf(candidate, source) }))
    return scored.reduce((best, each) => (each.score > best.score ? each : best)).candidate
  }
}

/** With u even in (0, 1), -weight / ln(u) is the highest with a chance equal to the share of the weight. */
function scoreOf({ name, weight }: Candidate, source: string): number {
  const drawn = hash('sha256', `${source} ${name}`, 'buffer').readUIntBE(0, HASH_BYTES)
  return -weight / Math.log((drawn + 0.5) / HASH_SPAN)
}
