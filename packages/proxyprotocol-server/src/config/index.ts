// Configuration: what the programs' users write, read and checked.

export { formatAddress, parseAddress } from './address.ts'
export type { Address, AddressOptions, PpMode } from './address.ts'
export { listedActions, type BlockLists, type ListedAction } from './block-lists.ts'
export { ConfigError } from './config-error.ts'
export { parseService } from './service.ts'
export type { Acceptance, Service, ServiceOptions } from './service.ts'
export { parseTrust } from './trust.ts'
export type { TrustList } from './trust.ts'
