import type { Server } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { quote } from '../../checks/index.ts'

export type HeldEvent = 'connection' | 'secureConnection'

export function heldEvent(server: Server, headerInsideTls: boolean = false): HeldEvent {
  if (typeof headerInsideTls !== 'boolean') {
    throw new TypeError(`headerInsideTls must be true or false, got ${quote(headerInsideTls)}`)
  }
  if (!headerInsideTls) return 'connection'
  // After unshift() Node runs no ticks between HTTP/2's events, and two frames end the process.
  const isHttp2 = 'updateSettings' in server
  if (server instanceof TlsServer && !isHttp2) return 'secureConnection'
  throw new TypeError('headerInsideTls must be used with a server of node:tls or node:https, got another')
}
