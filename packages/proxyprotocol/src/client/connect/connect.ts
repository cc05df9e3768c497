// Opens a connection that starts with a header, in one write with the first payload where there is any; TLS comes after it.

import {
  Socket,
  type SocketConnectOpts,
  type SocketConstructorOpts,
  type TcpSocketConnectOpts,
} from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import {
  encodeHeader,
  type EncodeOptions,
  type ErrorCode,
  type HeaderInit,
  ProxyProtocolError,
} from '../../codec/index.ts'
import { tellOfLargeHeader } from '../diagnostics.ts'
import { checkOptionNames } from '../option-names.ts'
import { Attempt, checkTimeout, type StopSignal } from './attempt.ts'
import { type TlsOptions, tlsSettings } from './tls-settings.ts'

/** A host that needs longer is down for the person who waits. */
const DEFAULT_TIMEOUT = 5_000
/** Node gives up on each address of a name after 250 ms, less than one retransmission; a second leaves time for four. */
const ATTEMPT_TIMEOUT = 1_000

/** Options of `net.connect()` that are passed on as they are. */
export type SocketOptions = {
  readonly [
    Name in
      | 'autoSelectFamily'
      | 'autoSelectFamilyAttemptTimeout'
      | 'family'
      | 'hints'
      | 'keepAlive'
      | 'keepAliveInitialDelay'
      | 'localAddress'
      | 'localPort'
      | 'lookup'
      | 'noDelay'
  ]?: TcpSocketConnectOpts[Name] | undefined
}

export const socketOptionNames: Readonly<Record<keyof SocketOptions, true>> = {
  localAddress: true,
  localPort: true,
  family: true,
  hints: true,
  lookup: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: true,
  autoSelectFamily: true,
  autoSelectFamilyAttemptTimeout: true,
}

/** Where to connect to, and how. */
export interface ConnectOptions extends EncodeOptions, SocketOptions {
  /** A name or an address; default localhost. */
  readonly host?: string | undefined
  /** Required unless `path` is given. */
  readonly port?: number | undefined
  /** A UNIX socket, instead of host and port. */
  readonly path?: string | undefined
  /** TLS, behind the header: `true`, or options of `tls.connect()`. `servername` follows from `host`. */
  readonly tls?: boolean | TlsOptions | undefined
  /** Milliseconds for the whole: name look-up, all addresses of the name, and the TLS handshake. Default 5000. */
  readonly timeout?: number | undefined
  /** Gives up connecting; it does not end an established connection. */
  readonly signal?: StopSignal | undefined
  /** Keeps your side open after the peer's FIN. Default false, as in `net.connect`. */
  readonly allowHalfOpen?: boolean | undefined
  /**
   * Asked once the connection stands, with `tls` once it is secure; what it gives leaves with the header in one write, or
   * encrypted as the first bytes behind the handshake. Null stands for nothing.
   */
  readonly payload?: (() => Uint8Array | null) | undefined
}

const optionNames: Readonly<Record<keyof ConnectOptions, true>> = {
  host: true,
  port: true,
  path: true,
  tls: true,
  timeout: true,
  signal: true,
  checksum: true,
  padTo: true,
  payload: true,
  allowHalfOpen: true,
  ...socketOptionNames,
}

/**
 * Connects and sends the header first, in one write. It has left when the promise resolves, so that TLS or HTTP/2, which
 * write past the socket's own buffer, can take over. With `tls` the header leaves in clear, the handshake follows, and the
 * promise resolves with the secure socket. With `'none'` in place of a header it just connects.
 *
 * @throws ProxyProtocolError with code `connect_refused`, `connect_timeout`, `connect_error`, `dns_error`,
 * `tls_upstream_error` or `aborted`; TypeError or RangeError when there is no header, it cannot be encoded or an option is wrong,
 * before anything is opened.
 *
 * @example
 * ```ts run
 * import { connect } from 'proxyprotocol/client'
 *
 * async function fetchFor(client: { address: string; port: number }): Promise<void> {
 *   const destination = { address: '198.51.100.7', port: 443 }
 *   const socket = await connect({ host: '127.0.0.1', port: 10007 }, { source: client, destination })
 *   socket.end('hello\n')
 * }
 * ```
 */
export function connect(
  options: ConnectOptions & { readonly tls: true | TlsOptions },
  header: HeaderInit | 'none',
): Promise<TLSSocket>
export function connect(options: ConnectOptions, header: HeaderInit | 'none'): Promise<Socket>
export async function connect(options: ConnectOptions, header: HeaderInit | 'none'): Promise<Socket> {
  checkOptionNames(options, optionNames, 'connect()')
  const { checksum, padTo, payload, tls, timeout = DEFAULT_TIMEOUT, signal } = options
  checkTimeout(timeout)
  const secure = tlsSettings(tls, options.host)
  const head = header === 'none' ? undefined : encodeHeader(header, { checksum, padTo })
  if (signal?.aborted) throw new ProxyProtocolError('aborted', { cause: signal.reason })
  const settings = socketSettings(options)
  const raw = new Socket(settings)
  const attempt = new Attempt({ timeout, signal, stages: secure ? ', the TLS handshake included' : '' })
  try {
    raw.connect(settings)
    await attempt.reach(raw, 'connect', connectFault)
    const first = secure ? undefined : payload?.()
    if (head) tellOfLargeHeader(head, options)
    send(raw, head && first ? Buffer.concat([head, first]) : (head ?? first))
    if (!secure) return raw
    const socket = connectTls({ ...secure, socket: raw })
    await attempt.reach(socket, 'secureConnect', tlsFault)
    send(socket, payload?.())
    return socket
  } catch (error) {
    abandon(raw)
    throw error
  } finally {
    attempt.end()
  }
}

/**
 * A literal, for every connection's to have one hidden class: copying what was given costs as much as half a system call
 * or two. The last three are Node's own, which net.Socket would add.
 */
function socketSettings(options: ConnectOptions): SocketConnectOpts & SocketConstructorOpts {
  const settings = {
    host: options.host,
    port: options.port,
    path: options.path,
    localAddress: options.localAddress,
    localPort: options.localPort,
    family: options.family,
    hints: options.hints,
    lookup: options.lookup,
    noDelay: options.noDelay ?? true,
    keepAlive: options.keepAlive,
    keepAliveInitialDelay: options.keepAliveInitialDelay,
    autoSelectFamily: options.autoSelectFamily,
    autoSelectFamilyAttemptTimeout: options.autoSelectFamilyAttemptTimeout ?? ATTEMPT_TIMEOUT,
    allowHalfOpen: options.allowHalfOpen ?? false,
    emitClose: false,
    autoDestroy: true,
    decodeStrings: false,
  }
  return settings as SocketConnectOpts // Node checks at run time that there is a port or a path
}

function send(socket: Socket, bytes: Uint8Array | null | undefined): void {
  if (bytes) socket.write(bytes)
}

/**
 * Closes what nobody else has. Where bytes have left it is cut off, not ended: a receiver that does not speak TLS must not
 * take a header and half a handshake for all there was. UNIX sockets know no RST.
 */
function abandon(socket: Socket): void {
  if (socket.bytesWritten > 0 && socket.remoteAddress !== undefined) socket.resetAndDestroy()
  else socket.destroy()
}

function tlsFault(cause: Error): ProxyProtocolError {
  return new ProxyProtocolError('tls_upstream_error', { detail: cause.message, cause })
}

function connectFault(cause: NodeJS.ErrnoException): ProxyProtocolError {
  return new ProxyProtocolError(codeOf(cause), { detail: messageOf(cause), cause })
}

function codeOf({ code, syscall }: NodeJS.ErrnoException): ErrorCode {
  if (syscall === 'getaddrinfo') return 'dns_error'
  if (code === 'ECONNREFUSED') return 'connect_refused'
  return code === 'ETIMEDOUT' ? 'connect_timeout' : 'connect_error'
}

/** Where all addresses of a name fail, Node throws the errors together, under an empty message. */
function messageOf(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(String).join(', ') : error.message
}
