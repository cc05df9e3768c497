// Opens a connection that starts with a header, in one write with the first payload; TLS comes after it.

import { Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { checkNames } from '../../checks/index.ts'
import { type ErrorCode, type HeaderInit, ProxyProtocolError } from '../../codec/index.ts'
import { reportLargeHeader } from '../diagnostics.ts'
import { Attempt, type StopSignal } from './attempt.ts'
import {
  abandon,
  openSocketNames,
  type OpenSocketOptions,
  prepare,
  socketSettings,
} from './socket-options.ts'
import type { TlsOptions } from './tls-settings.ts'

/** Where to connect to, how, and what to send first. */
export interface ConnectOptions extends OpenSocketOptions {
  /** Gives up connecting; it does not end an established connection. */
  readonly signal?: StopSignal | undefined
  /**
   * Called when the connection is established, with `tls` after the handshake. Its bytes leave in one write with the
   * header, or encrypted with `tls`. Null sends nothing.
   */
  readonly payload?: (() => Uint8Array | null) | undefined
}

const optionNames: Readonly<Record<keyof ConnectOptions, true>> = {
  ...openSocketNames,
  signal: true,
  payload: true,
}

/**
 * Connects and sends the header first, in one write. With `tls` the header leaves in clear, and the promise resolves
 * with the secure socket after the handshake. With `'none'` in place of a header it just connects.
 *
 * @throws ProxyProtocolError `connect_refused`, `connect_timeout`, `connect_error`, `dns_error`, `tls_upstream_error`
 * or `aborted`. TypeError or RangeError before anything is opened, for a header that cannot be encoded or a wrong
 * option.
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
  checkNames(options, Object.keys(optionNames))
  const { payload, signal } = options
  const { timeout, secure, head, isInside } = prepare(options, header)
  if (signal?.aborted) throw new ProxyProtocolError('aborted', { cause: signal.reason })
  const settings = socketSettings(options)
  const raw = new Socket(settings)
  const attempt = new Attempt({ timeout, signal, stages: secure ? ', the TLS handshake included' : '' })
  try {
    raw.connect(settings)
    await attempt.reach(raw, 'connect', connectFault)
    if (head) reportLargeHeader(head, options)
    send(raw, isInside ? undefined : head, secure ? undefined : payload?.())
    if (!secure) return raw
    const socket = connectTls({ ...secure, socket: raw })
    await attempt.reach(socket, 'secureConnect', tlsFault)
    // HTTP/2 on a socket whose write is under way aborts the process, so the header must have left.
    if (isInside && head && !payload) await attempt.reach(socket, head, tlsFault)
    else send(socket, isInside ? head : undefined, payload?.())
    return socket
  } catch (error) {
    abandon(raw)
    throw error
  } finally {
    attempt.end()
  }
}

function send(socket: Socket, head: Uint8Array | undefined, payload: Uint8Array | null | undefined): void {
  const bytes = head && payload ? Buffer.concat([head, payload]) : (head ?? payload)
  if (bytes) socket.write(bytes)
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

/** If all addresses of a name fail, Node throws the errors together, without a message. */
function messageOf(error: Error): string {
  return 'errors' in error ? (error as AggregateError).errors.map(String).join(', ') : error.message
}
