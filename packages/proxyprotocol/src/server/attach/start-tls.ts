// TLS that starts inside a connection, as STARTTLS does.

import { Socket } from 'node:net'
import { TLSSocket, type TlsOptions } from 'node:tls'
import { checkObject, milliseconds, quote } from '../../checks/index.ts'
import { ProxyProtocolError } from '../../codec/index.ts'
import { type AcceptedConnection, type Connection, defaultTimeouts } from '../lifecycle/index.ts'
import { adoptInfo, checkGivesBytes, connectionInfo, distinguishResets, startedKey } from '../socket/index.ts'
import { checkTls, TlsAcceptor } from '../tls/index.ts'

/** One for each options object: it holds the certificate and the session ticket keys. */
const acceptors = new WeakMap<TlsOptions, TlsAcceptor>()

interface Startable extends Socket {
  [startedKey]?: true
}

/**
 * Starts TLS, as the server, on a connection of `createServer` or an accepted socket, as STARTTLS does. It resolves
 * after the handshake; `connection.socket` and `connection.tls` are then the TLS socket.
 *
 * First remove your `'data'` listeners, and drop what the client sent behind STARTTLS: an attacker may have written
 * it. For a socket of your own, listen to `'error'`.
 *
 * @param options of `tls.createServer()`; use one object for all connections, because it keeps the session ticket
 * keys. `handshakeTimeout` is 10000 ms by default.
 * @throws ProxyProtocolError `tls_client_error` if the handshake fails, which closes the connection. TypeError or
 * RangeError naming the argument. All are rejections.
 *
 * @example
 * ```ts run
 * import { once } from 'node:events'
 * import { readFileSync } from 'node:fs'
 * import { createServer, startTls } from 'proxyprotocol/server'
 *
 * const tls = { key: readFileSync('key.pem'), cert: readFileSync('cert.pem') }
 * const server = createServer({ trust: ['127.0.0.1'] }, async connection => {
 *   connection.socket.write('220 ready\r\n')
 *   const [command] = await once(connection.socket, 'data') // STARTTLS, in a real server with a parser
 *   connection.socket.write('220 go ahead\r\n')
 *   const secure = await startTls(connection, tls)
 *   secure.end(`you are ${secure.remoteAddress}, and said ${command}`)
 * })
 * await server.close()
 * ```
 */
export async function startTls(target: Connection | Socket, options: TlsOptions): Promise<TLSSocket> {
  const connection = connectionOf(target)
  const raw = socketOf(connection?.socket ?? target)
  const acceptor = acceptorOf(options)
  raw[startedKey] = true
  const { allowHalfOpen } = raw
  try {
    const secure = await acceptor.handshake(raw)
    if (connection) connection.secure(secure)
    else takeOver(secure, raw)
    secure.allowHalfOpen = allowHalfOpen
    return secure
  } catch (cause) {
    const error = clientError(cause as ProxyProtocolError) // the acceptor rejects with nothing else
    connection?.abort(error)
    raw.destroy()
    throw error
  }
}

/** Of this copy of the library or another one, which keeps the info of the connection and of its socket as one object. */
function connectionOf(target: unknown): AcceptedConnection | undefined {
  const { socket, info } = Object(target) as Partial<AcceptedConnection>
  const isConnection = socket instanceof Socket && info !== undefined && connectionInfo(socket) === info
  return isConnection ? (target as AcceptedConnection) : undefined // nothing else has such an info
}

function socketOf(target: unknown): Startable {
  if (!(target instanceof Socket)) {
    throw new TypeError(`target must be a connection of createServer() or a socket, got ${quote(target)}`)
  }
  if (target instanceof TLSSocket || startedKey in target) {
    throw new TypeError('target must be a socket without TLS, got one with TLS')
  }
  checkGivesBytes(target, 'target') // Node aborts the process when its TLS finds text in the buffer
  return target
}

function acceptorOf(options: TlsOptions): TlsAcceptor {
  checkObject(options, 'options')
  const known = acceptors.get(options)
  if (known) return known
  const { handshakeTimeout = defaultTimeouts.handshake, ...tls } = options
  checkTls(tls)
  const acceptor = new TlsAcceptor(tls, milliseconds(handshakeTimeout, 'handshakeTimeout', 1))
  acceptors.set(options, acceptor)
  return acceptor
}

function takeOver(secure: TLSSocket, raw: Socket): void {
  adoptInfo(secure)
  distinguishResets(secure, raw)
}

/** A client that leaves now has asked for TLS, so it is not a probe. */
function clientError(error: ProxyProtocolError): ProxyProtocolError {
  if (error.code !== 'probe') return error
  return new ProxyProtocolError('tls_client_error', {
    detail: 'the client left before the handshake',
    cause: error,
  })
}
