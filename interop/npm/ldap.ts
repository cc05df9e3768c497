// ldapjs, which has no types, and a request of LDAP.

import { createRequire } from 'node:module'
import type { Server, Socket } from 'node:net'

type Done = (error?: Error | null) => void

export interface LdapClient {
  starttls(options: object, controls: readonly [], done: Done): void
  bind(name: string, password: string, done: Done): void
  destroy(): void
}

export interface LdapServer {
  readonly server: Server
  bind(name: string, handler: (request: { connection: Socket }, response: { end(): void }) => void): void
}

export const ldap = createRequire(import.meta.url)('ldapjs') as {
  createClient(options: { url: string }): LdapClient
  createServer(options: { certificate: string; key: string }): LdapServer
}

/** A bind as cn=app without a password (RFC 4511 section 4.2). */
export const BIND = Buffer.from('3012020101600d0201030406636e3d6170708000', 'hex')
