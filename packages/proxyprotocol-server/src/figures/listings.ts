// What block lists have answered about the clients of a service.

import type { UnknownReason } from 'proxyprotocol/dnsbl'
import { sumOfNumbers } from './merged.ts'

/** No list is asked about clients without an address, or about checks by the proxy in front. */
export interface ListingCounts {
  readonly listed: number
  readonly clear: number
  readonly unknown: Readonly<Record<UnknownReason, number>>
}

export function sumOfListings(
  one: ListingCounts | undefined,
  other: ListingCounts | undefined,
): ListingCounts | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return {
    listed: one.listed + other.listed,
    clear: one.clear + other.clear,
    unknown: sumOfNumbers(one.unknown, other.unknown),
  }
}

export function answersOf({ listed, clear, unknown }: ListingCounts): Readonly<Record<string, number>> {
  return { listed, clear, ...unknown }
}
