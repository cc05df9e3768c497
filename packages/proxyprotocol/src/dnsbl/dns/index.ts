/** Resolves a name to its IPv4 addresses. */

export { parseNameServer, systemNameServers } from './name-server.ts'
export type { NameServer } from './name-server.ts'
export type { AddressRecord } from './reply.ts'
export { Resolution } from './resolution.ts'
