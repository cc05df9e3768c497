// Lets a program give an attached server the streams of tunnels and multiplexers, which come without a header.

import { isIP, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { inspect } from 'node:util'
import type { Endpoint } from '../../codec/index.ts'
import { checkObject } from '../../checks/index.ts'
import { type ConnectionInfo, infoFor, isClaimed } from '../socket/index.ts'
import { attachmentOf } from './attach.ts'

const MAX_PORT = 65_535

/** Who the stream's client is, if `connectionInfo()` does not know. */
export interface AdmittedInfo {
  readonly source: Endpoint | undefined
  readonly destination: Endpoint | undefined
}

/**
 * Gives an attached server a stream without a header, which `server.emit('connection', stream)` would hold back.
 * Sockets, TLS sockets, HTTP/2 streams and any `Duplex` that the server can use are taken. `trust` and limits do not
 * apply. A socket that node:http gave away with `'connect'` or `'upgrade'` may be given to the same server again.
 *
 * @param info the client, or the `ConnectionInfo` of another connection. Default: what `connectionInfo()` says of the
 * stream, or else its own ends.
 * @throws TypeError if the server is not attached, has the stream already, or an argument is wrong.
 *
 * @example
 * ```ts run
 * import http from 'node:http'
 * import { admit, attach } from 'proxyprotocol/server'
 *
 * const server = http.createServer((request, response) => {
 *   response.end(`you are ${String(request.socket.remoteAddress)}\n`)
 * })
 * attach(server, { trust: ['127.0.0.1', '10.0.0.0/8'] })
 * server.on('connect', (_request, socket, head) => {
 *   socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
 *   socket.unshift(head)
 *   admit(server, socket) // the requests in the tunnel are the same client's
 * })
 * ```
 */
export function admit(server: Server, stream: Duplex, info?: ConnectionInfo | AdmittedInfo): void {
  const attachment = attachmentOf(server)
  if (attachment === undefined) {
    const got = isClaimed(server) ? 'that another copy of this library serves' : 'that it was not called on'
    throw new TypeError(`server must be one that attach() was called on, got one ${got}`)
  }
  checkObject(stream, 'stream')
  if (typeof stream.pipe !== 'function' || typeof stream.write !== 'function') {
    throw new TypeError(`stream must be a Duplex, got ${inspect(stream, { depth: 0 })}`)
  }
  if (attachment.has(stream))
    throw new TypeError('stream must be new to the server, got one that it has already')
  if (info !== undefined) checkInfo(info)
  if (!stream.destroyed) attachment.take(stream, infoFor(stream, info))
}

function checkInfo(info: AdmittedInfo): void {
  checkObject(info, 'info')
  checkEndpoint(info.source, 'info.source')
  checkEndpoint(info.destination, 'info.destination')
}

function checkEndpoint(endpoint: Endpoint | undefined, name: string): void {
  if (endpoint === undefined) return
  checkObject(endpoint, name)
  if ('path' in endpoint) return
  const { address, port } = endpoint
  const isPort = Number.isInteger(port) && port >= 0 && port <= MAX_PORT
  if (isPort && typeof address === 'string' && isIP(address) !== 0) return
  throw new TypeError(`${name} must be { address, port } or { path }, got ${inspect(endpoint)}`)
}
