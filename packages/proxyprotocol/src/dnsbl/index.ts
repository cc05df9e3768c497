/**
 * Ask DNS block lists about an address: listed, clear or unknown.
 *
 * @module proxyprotocol/dnsbl
 */

export { parseNameServer } from './dns/index.ts'
export type { AddressRecord, NameServer } from './dns/index.ts'
export { lookup } from './dnsbl.ts'
export type { LookupOptions } from './dnsbl.ts'
export { createListingCache } from './listing-cache.ts'
export type { ListingCache, ListingCacheOptions } from './listing-cache.ts'
export type { Clear, Listed, Listing, ListingCode, Unknown, UnknownReason } from './listing.ts'
export type { NameResolver } from './query.ts'
export { spamhaus } from './zones.ts'
export type { Zone } from './zones.ts'
