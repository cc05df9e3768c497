// The names of upstreams and their addresses.

export { endpointOf, type FoundAddress, lookupOf, placed, placeOf } from './found-address.ts'
export { memberList } from './member-list.ts'
export type { NameWatcher, Resolve, ResolvedName, WaitOptions } from './resolved-name.ts'
export { answeredNames, Resolver } from './resolver.ts'
