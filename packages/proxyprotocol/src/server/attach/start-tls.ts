// TLS that starts inside a connection, as STARTTLS does: afterwards everything is as if TLS had come right behind the header.

import { Socket } from 'node:net'
import { TLSSocket, type TlsOptions } from 'node:tls'
import { checkObject, milliseconds, quote } from '../../checks/index.ts'
import { ProxyProtocolError } from '../../codec/index.ts'
import { AcceptedConnection, type Connection, defaultTimeouts } from '../lifecycle/index.ts'
import { adoptInfo, distinguishResets } from '../socket/index.ts'
import { checkTls, TlsAcceptor } from '../tls/index.ts'

/** One for each options object: it holds the certificate and the keys of session tickets. */
const acceptors = new WeakMap<TlsOptions, TlsAcceptor>()
const started = new WeakSet<Socket>()

/**
 * Starts TLS, as the server, on a connection of `createServer` or on any accepted socket. It resolves once the handshake is
 * done. Then addresses, `connectionInfo()`, resets and truncation are those of TLS right behind the header; `connection.socket`
 * and `connection.tls` are the TLS socket. Listen to the `'error'` of a socket of your own.
 *
 * Give the connection, not its socket, where there is one. Remove your `'data'` listeners first. Drop what the client has sent
 * behind its STARTTLS command: an attacker may have written it.
 *
 * @param options of `tls.createServer()`. Use one object for all connections: it keeps one context and one set of session
 * ticket keys. `handshakeTimeout` is 10000 ms by default.
 * @throws ProxyProtocolError `tls_client_error`, as a rejection, when the handshake fails; the connection is closed then, and a
 * handler may let the error pass. TypeError or RangeError, as a rejection, naming the argument that is wrong.
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
  const connection = target instanceof AcceptedConnection ? target : undefined
  const raw = socketOf(connection?.socket ?? target)
  const acceptor = acceptorOf(options)
  started.add(raw)
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

/** @throws TypeError for anything but a socket that speaks no TLS yet. */
function socketOf(target: unknown): Socket {
  if (!(target instanceof Socket)) {
    throw new TypeError(`target must be a connection of createServer() or a socket, got ${quote(target)}`)
  }
  if (!(target instanceof TLSSocket) && !started.has(target)) return target
  throw new TypeError('target must be a socket without TLS, got one with TLS')
}

/** @throws TypeError or RangeError naming the option. */
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

/** A client that leaves at this point is not a probe, because it has asked for TLS. */
function clientError(error: ProxyProtocolError): ProxyProtocolError {
  if (error.code !== 'probe') return error
  return new ProxyProtocolError('tls_client_error', {
    detail: 'the client left before the handshake',
    cause: error,
  })
}
