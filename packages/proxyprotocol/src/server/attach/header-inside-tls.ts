// A header inside TLS is the first plaintext of the TLS session.

import type { Server } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { boolean } from '../../checks/index.ts'
import { isHttp2 } from './node-server.ts'

export type HeldEvent = 'connection' | 'secureConnection'

export function heldEvent(server: Server, headerInsideTls: boolean = false): HeldEvent {
  if (!boolean(headerInsideTls, 'headerInsideTls')) return 'connection'
  // After unshift() Node runs no ticks between HTTP/2's events, and two frames end the process.
  if (server instanceof TlsServer && !isHttp2(server)) return 'secureConnection'
  throw new TypeError('headerInsideTls must be used with a server of node:tls or node:https, got another')
}
