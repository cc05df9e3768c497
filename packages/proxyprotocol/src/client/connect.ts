// Opens a connection that starts with a header, in one write with the first payload where there is any.

import { Socket, type SocketConnectOpts } from 'node:net'
import {
  encodeHeader,
  ProxyProtocolError,
  type EncodeOptions,
  type ErrorCode,
  type HeaderInit,
} from '../codec/index.ts'

/** A host that needs longer is down for the person who waits. */
const DEFAULT_TIMEOUT = 5_000
/** Node gives up on each address of a name after 250 ms, less than one retransmission; a second leaves time for four. */
const ATTEMPT_TIMEOUT = 1_000
/** Node's timers take no more; beyond it they fire at once. */
const MAX_TIMEOUT = 2_147_483_647

/** Where to connect to, and how. */
export interface ConnectOptions extends EncodeOptions {
  /** A name or an address; default localhost. */
  readonly host?: string | undefined
  /** Required unless `path` is given. */
  readonly port?: number | undefined
  /** A UNIX socket, instead of host and port. */
  readonly path?: string | undefined
  /** Milliseconds for the whole: name look-up and all addresses of the name. Default 5000. */
  readonly timeout?: number | undefined
  /** Gives up connecting; it does not end an established connection. */
  readonly signal?: AbortSignal | undefined
  /** Keeps your side open after the peer's FIN. Default false, as in `net.connect`. */
  readonly allowHalfOpen?: boolean | undefined
  /** Asked once the connection stands; what it gives leaves with the header in one write, null stands for nothing. */
  readonly payload?: (() => Uint8Array | null) | undefined
}

/**
 * Connects and sends the header first, in one write. It has left when the promise resolves, so that TLS or HTTP/2, which
 * write past the socket's own buffer, can take over. Without a header it just connects.
 *
 * @throws ProxyProtocolError with code `connect_refused`, `connect_timeout`, `connect_error`, `dns_error` or `aborted`;
 * TypeError or RangeError when the header cannot be encoded or an option is wrong, before anything is opened.
 *
 * @example
 * ```ts
 * import { connect } from 'proxyprotocol/client'
 *
 * async function fetchFor(client: { address: string; port: number }): Promise<void> {
 *   const destination = { address: '198.51.100.7', port: 443 }
 *   const socket = await connect({ host: '127.0.0.1', port: 10007 }, { source: client, destination })
 *   socket.end('hello\n')
 * }
 * ```
 */
export async function connect(options: ConnectOptions, header?: HeaderInit): Promise<Socket> {
  const { checksum, padTo, payload, timeout = DEFAULT_TIMEOUT, signal, ...where } = options
  if (!Number.isFinite(timeout) || timeout < 0 || timeout > MAX_TIMEOUT) {
    throw new RangeError(`timeout must be milliseconds from 0 to ${MAX_TIMEOUT}, got ${String(timeout)}`)
  }
  const head = header === undefined ? undefined : encodeHeader(header, { checksum, padTo })
  if (signal?.aborted) throw new ProxyProtocolError('aborted', { cause: signal.reason })
  const settings = { noDelay: true, autoSelectFamilyAttemptTimeout: ATTEMPT_TIMEOUT, ...where }
  const socket = new Socket(settings)
  try {
    socket.connect(settings as SocketConnectOpts) // Node checks at run time that there is a port or a path
    await established(socket, timeout, signal)
    const first = payload?.()
    socket.cork()
    for (const bytes of [head, first]) if (bytes) socket.write(bytes)
    socket.uncork()
    return socket
  } catch (error) {
    socket.destroy() // nobody else has it
    throw error
  }
}

function established(socket: Socket, timeout: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      fail(new ProxyProtocolError('connect_timeout', { detail: `${timeout} ms` }))
    }, timeout)
    function onConnect(): void {
      stop()
      resolve()
    }
    function onError(cause: NodeJS.ErrnoException): void {
      fail(new ProxyProtocolError(codeOf(cause), { detail: messageOf(cause), cause }))
    }
    function onAbort(): void {
      fail(new ProxyProtocolError('aborted', { cause: signal?.reason }))
    }
    function fail(error: ProxyProtocolError): void {
      stop()
      reject(error)
    }
    function stop(): void {
      clearTimeout(timer)
      socket.off('connect', onConnect).off('error', onError)
      signal?.removeEventListener('abort', onAbort)
    }
    socket.on('connect', onConnect).on('error', onError)
    signal?.addEventListener('abort', onAbort)
  })
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
