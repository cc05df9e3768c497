// One secret gives the key of each service's session tickets, so that workers and reloads share it without a store.

import { hkdfSync, randomBytes } from 'node:crypto'
import type { ListenFiles, Service, TlsSettings } from '../../config/index.ts'

/** Of Node's: a name, a key for encryption and one for signatures. */
const KEY_BYTES = 48
const SECRET_BYTES = 32

export function newTicketSecret(): Uint8Array {
  return randomBytes(SECRET_BYTES)
}

/** For relays that were given none. */
export const processSecret: Uint8Array = newTicketSecret()

interface Policy {
  readonly service: Pick<Service, 'name'>
  readonly settings: Pick<TlsSettings, 'verify'>
  readonly files: ListenFiles
}

/**
 * OpenSSL does not check the certificate of a client that resumes. So a session must end with the rules under which it
 * was checked, and must not be valid at a service with other rules.
 */
export function ticketKey(secret: Uint8Array, { service, settings, files }: Policy): Buffer {
  const { ca, crl } = files.common
  const rules = JSON.stringify([service.name, settings.verify, ca, crl])
  return Buffer.from(hkdfSync('sha256', secret, rules, 'session tickets', KEY_BYTES))
}
