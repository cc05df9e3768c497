// A header inside TLS is the first plaintext of the TLS session. Such a server is held back at 'secureConnection' instead of
// 'connection'.

import type { Server } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { quote } from '../../checks/index.ts'

/** The event that waits for the header. */
export type HeldEvent = 'connection' | 'secureConnection'

/**
 * Checks the option `headerInsideTls` for a server.
 *
 * @throws TypeError when it is not a boolean, and for a server that cannot read a header there.
 */
export function heldEvent(server: Server, headerInsideTls: boolean = false): HeldEvent {
  if (typeof headerInsideTls !== 'boolean') {
    throw new TypeError(`headerInsideTls must be true or false, got ${quote(headerInsideTls)}`)
  }
  if (!headerInsideTls) return 'connection'
  // HTTP/2 must not get bytes that were put back: Node then runs no ticks between their events, and two frames end the process.
  const isHttp2 = 'updateSettings' in server
  if (server instanceof TlsServer && !isHttp2) return 'secureConnection'
  throw new TypeError('headerInsideTls must be used with a server of node:tls or node:https, got another')
}
