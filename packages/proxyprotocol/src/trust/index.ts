// Who may send headers, and lists of networks.

export { addressBytes, compileNetworks, isLoopback, type Peer, sourceKey } from './networks.ts'
export { compileTrust, type Trust } from './trust.ts'
export { type NameTrust, trustNames, type TrustNamesOptions, type TrustResolver } from './trust-names.ts'
