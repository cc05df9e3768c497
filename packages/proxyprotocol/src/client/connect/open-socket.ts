// A socket whose first write is the header.

import type { Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { type HeaderInit, ProxyProtocolError } from '../../codec/index.ts'
import { checkNames } from '../../checks/index.ts'
import { HeaderStream, startSocket } from './header-stream.ts'
import { openSocketNames, type OpenSocketOptions, prepare, socketSettings } from './socket-options.ts'
import type { TlsOptions } from './tls-settings.ts'

/**
 * Returns the socket of a connection that starts with a header, before it is connected: for clients that take
 * a function which returns a stream. `'none'` sends no header.
 * A failure is the socket's `'error'`: Node's own, or a ProxyProtocolError `connect_timeout`. The socket's
 * `connect()`, which pg calls, does nothing while it is open, and throws later.
 *
 * @throws TypeError or RangeError before anything is opened, for a wrong header or option.
 * @example
 * ```ts run
 * import http2 from 'node:http2'
 * import { openSocket } from 'proxyprotocol/client'
 *
 * function sessionFor(client: { address: string; port: number }): http2.ClientHttp2Session {
 *   const header = { source: client, destination: { address: '198.51.100.7', port: 80 } }
 *   return http2.connect('http://127.0.0.1:10007', {
 *     createConnection: () => openSocket({ host: '127.0.0.1', port: 10007 }, header),
 *   })
 * }
 * ```
 */
export function openSocket(
  options: OpenSocketOptions & { readonly tls: true | TlsOptions },
  header: HeaderInit | 'none',
): TLSSocket
export function openSocket(options: OpenSocketOptions, header: HeaderInit | 'none'): Socket
export function openSocket(options: OpenSocketOptions, header: HeaderInit | 'none'): Socket {
  checkNames(options, Object.keys(openSocketNames))
  const { timeout, secure, head, isInside } = prepare(options, header)
  if (isInside) refuseHttp2(secure)
  const raw = startSocket(socketSettings(options), head, isInside)
  const socket = secure ? secureOver(new HeaderStream(raw), secure) : raw
  if (isInside && head) socket.write(head)
  const detail = secure ? `${timeout} ms, the TLS handshake included` : `${timeout} ms`
  const timer = setTimeout(() => {
    socket.destroy(new ProxyProtocolError('connect_timeout', { detail }))
  }, timeout)
  for (const event of [secure ? 'secureConnect' : 'connect', 'close']) {
    socket.once(event, () => clearTimeout(timer))
  }
  return Object.assign(socket, { connect: () => connectOnce(socket) })
}

function secureOver(stream: HeaderStream, settings: object): TLSSocket {
  return stream.carry(connectTls({ ...settings, socket: stream }))
}

/** HTTP/2 during the header's write aborts the process. */
function refuseHttp2({ ALPNProtocols: offered = [] }: ConnectionOptions = {}): void {
  if (![offered].flat().some(protocol => Buffer.from(protocol as string | Uint8Array).includes('h2'))) return // of views Node takes bytes
  throw new TypeError('headerInsideTls must be false with the protocol h2, got true; did you mean connect()?')
}

function connectOnce(socket: Socket): Socket {
  if (!socket.destroyed) return socket
  throw new Error('a socket of openSocket() connects once; call openSocket() for the next connection')
}
