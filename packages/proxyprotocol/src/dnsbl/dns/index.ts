/** The part of a DNS resolver that block lists need: one name becomes its IPv4 addresses. */

export { parseNameServer, systemNameServers } from './name-server.ts'
export type { NameServer } from './name-server.ts'
export type { AddressRecord } from './reply.ts'
export { Resolution } from './resolution.ts'
