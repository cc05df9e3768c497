// Lets a program give an attached server what comes without a header: the streams of tunnels and multiplexers.

import { isIP, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { inspect } from 'node:util'
import type { Endpoint } from '../../codec/index.ts'
import { checkObject } from '../../checks/index.ts'
import { type ConnectionInfo, infoFor } from '../socket/index.ts'
import { attachmentOf } from './attach.ts'

const MAX_PORT = 65_535

/** Whose stream it is, where that is not what `connectionInfo()` says. */
export interface AdmittedInfo {
  readonly source: Endpoint | undefined
  readonly destination: Endpoint | undefined
}

/**
 * Gives an attached server a stream without a header, for which `server.emit('connection', stream)` would wait. The
 * server sees an accepted connection, and `connectionInfo()` and `remoteAddress` show `info`. The stream may be a TLS
 * socket, an HTTP/2 stream or any `Duplex` that the server can use. A destroyed stream is left alone. `trust` and
 * limits do not apply: your program decides.
 *
 * node:http gives its sockets away with `'connect'` and `'upgrade'`. You may give such a socket to the same server
 * again.
 *
 * @param info the client, or the `ConnectionInfo` of another connection. Default: that of the stream, of the socket
 * under its TLS or of its HTTP/2 session; otherwise the stream's own ends.
 * @throws TypeError if the server is not attached to or has the stream already, or if `stream` or `info` is wrong.
 * @example
 * ```ts run
 * import http from 'node:http'
 * import { admit, attach } from 'proxyprotocol/server'
 *
 * const server = http.createServer((request, response) => {
 *   response.end(`you are ${String(request.socket.remoteAddress)}\n`)
 * })
 * attach(server, { trust: ['10.0.0.0/8'] })
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
    throw new TypeError('server must be one that attach() was called on, got one that it was not called on')
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
