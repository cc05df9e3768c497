// What a peer's file says: which programs it takes, and the cases that it must pass.

import type { Debian } from './debian.ts'
import type { Harness } from './harness.ts'

/**
 * `sends`: the peer in front of our servers; `receives`: behind our clients and our relay; `chain`: several peers and our
 * software in a row; `decodes`: it reads bytes that we have made; `checks`: the relay checks its health;
 * `resolves`: the relay asks it for names.
 */
export type Direction = 'sends' | 'receives' | 'chain' | 'decodes' | 'checks' | 'resolves'

/** One thing that must hold. */
export interface Case {
  readonly direction: Direction
  readonly name: string
  /** Resolves with what was seen, in a few words that are the same in every run; rejects where it does not hold. */
  readonly run: () => Promise<string>
}

export interface Peer {
  readonly name: string
  /** In the matrix of every run; the others are in the full one, or named. */
  readonly always?: boolean
  readonly programs: readonly Debian[]
  /** Starts what it takes, and gives the cases; all of them are over when the harness closes. */
  readonly cases: (harness: Harness) => Promise<readonly Case[]>
}
