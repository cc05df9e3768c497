// Opens a connection that starts with a header.

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

/** Where and how to connect, and what to send first. */
export interface ConnectOptions extends OpenSocketOptions {
  /** Gives up connecting; an established connection stays. */
  readonly signal?: StopSignal | undefined
  /**
   * Called when connected, with `tls` after the handshake. Without `tls` its bytes leave in one write with
   * the header. Null sends nothing.
   */
  readonly payload?: (() => Uint8Array | null) | undefined
}

const optionNames: Readonly<Record<keyof ConnectOptions, true>> = {
  ...openSocketNames,
  signal: true,
  payload: true,
}

/**
 * Connects and sends the header first, in one write. With `tls` the header leaves in clear, and the promise
 * resolves after the handshake. `'none'` sends no header.
 *
 * @throws ProxyProtocolError `connect_refused`, `connect_timeout`, `connect_error`, `dns_error`,
 * `tls_upstream_error` or `aborted`. TypeError or RangeError before anything is opened, for a wrong header or
 * option.
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
    // HTTP/2 on a socket with a pending write aborts the process.
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

/** Node's error for all addresses of a name has no message. */
function messageOf(error: Error): string {
  return 'errors' in error ? (error as AggregateError).errors.map(String).join(', ') : error.message
}
