// Ask DNS block lists about an address: listed, clear or unknown.

export { lookup } from './dnsbl.ts'
export type { LookupOptions, NameResolver } from './dnsbl.ts'
export type { Clear, Listed, Listing, ListingCode, Unknown, UnknownReason } from './listing.ts'
export { spamhaus } from './zones.ts'
export type { Zone } from './zones.ts'
