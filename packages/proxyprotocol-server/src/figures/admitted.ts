// What decides about clients before they are relayed: lists of networks, and a rate.

import { sumOfNumbers } from './merged.ts'

/** What the lists of a service have decided. */
export interface AccessFigures {
  /** Networks in the list; undefined without the list. */
  readonly allow: number | undefined
  readonly deny: number
  /** Connections. */
  readonly allowed: number
  readonly denied: number
}

/** The rate as configured, and its use. */
export interface RateFigures {
  readonly connections: number
  /** Milliseconds. */
  readonly per: number
  readonly burst: number
  /** How much of its burst the busiest client has used, in connections. */
  readonly used: number
}

export function sumOfAccess(
  one: AccessFigures | undefined,
  other: AccessFigures | undefined,
): AccessFigures | undefined {
  if (one === undefined || other === undefined) return one ?? other
  const { allowed, denied } = sumOfNumbers(one, other)
  return { ...one, allowed, denied }
}

/** Each relay counts its clients alone. */
export function sumOfRates(
  one: RateFigures | undefined,
  other: RateFigures | undefined,
): RateFigures | undefined {
  return one && { ...one, used: Math.max(one.used, other?.used ?? 0) }
}
