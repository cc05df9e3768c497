// A connect function for undici.

import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { checkNames } from '../checks/index.ts'
import { encodeHeader, type EncodeOptions, type HeaderInit } from '../codec/index.ts'
import {
  connect,
  type ConnectOptions,
  socketOptionNames,
  type SocketOptions,
  type TlsOptions,
  tlsSettings,
} from './connect/index.ts'
import { TlsSessions } from './tls-sessions.ts'

const KEEP_ALIVE_DELAY = 60_000
const HTTPS_PORT = 443
const HTTP_PORT = 80

/** How a connector connects. */
export interface ConnectorOptions extends EncodeOptions, SocketOptions {
  /** A UNIX socket, instead of the origin. */
  readonly path?: string | undefined
  /** For https. */
  readonly tls?: TlsOptions | undefined
  /** Sends the header inside TLS; http then fails. Default false. */
  readonly headerInsideTls?: boolean | undefined
  /** Offers HTTP/2. Default: the dispatcher's `allowH2`. */
  readonly allowH2?: boolean | undefined
  /** Milliseconds for look-up, all addresses and TLS together. Default 5000. */
  readonly timeout?: number | undefined
}

const optionNames: Readonly<Record<keyof ConnectorOptions, true>> = {
  path: true,
  tls: true,
  headerInsideTls: true,
  allowH2: true,
  timeout: true,
  checksum: true,
  padTo: true,
  ...socketOptionNames,
}

/** Where undici connects. */
export interface ConnectorTarget {
  readonly hostname: string
  readonly protocol: string
  /** Empty for the protocol's default. */
  readonly port: string
  readonly servername?: string | null | undefined
  readonly localAddress?: string | null | undefined
  readonly socketPath?: string | null | undefined
  readonly allowH2?: boolean | undefined
  readonly httpSocket?: Socket | undefined
}

/** Takes the connection or the error. */
export type ConnectorCallback = (...result: [null, Socket | TLSSocket] | [Error, null]) => void

/** What undici's dispatchers take as `connect`. */
export type Connector = (target: ConnectorTarget, callback: ConnectorCallback) => void

/**
 * Makes a `connect` function for undici's `Client`, `Pool` or `Agent`: each connection starts with this
 * header. The dispatcher reuses connections: use it for **one** client, and close it when the client leaves.
 *
 * @throws TypeError or RangeError for a wrong header or option. undici gets the ProxyProtocolErrors of
 * `connect`.
 * @example
 * ```ts run
 * import { connector, type Connector } from 'proxyprotocol/client'
 *
 * const source = { address: '192.0.2.1', port: 56324 }
 * const destination = { address: '198.51.100.7', port: 443 }
 * const connect: Connector = connector({ source, destination })
 * // const client = new Client('http://127.0.0.1:10007', { connect })
 * ```
 */
export function connector(header: HeaderInit, options: ConnectorOptions = {}): Connector {
  checkNames(options, Object.keys(optionNames))
  const { tls, allowH2, ...rest } = options
  tlsSettings(tls) // throws for what is wrong
  const own = structuredClone(header) // later changes must not change the client
  encodeHeader(own, options)
  const sessions = new TlsSessions()
  return (target, callback) => {
    if (target.httpSocket) {
      callback(new TypeError('connector() opens its own sockets, it cannot use httpSocket'), null)
      return
    }
    const where = {
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_DELAY,
      ...rest,
      ...connectTarget(target, rest),
    }
    const offer = { ALPNProtocols: (allowH2 ?? target.allowH2) ? ['h2', 'http/1.1'] : ['http/1.1'], ...tls }
    const connecting =
      target.protocol === 'https:'
        ? connectSecure({ ...where, tls: withName(offer, target) }, own, sessions)
        : connect(where, own)
    connecting.then(
      socket => callback(null, socket),
      (error: unknown) => callback(error as Error, null), // connect() rejects with errors alone
    )
  }
}

function connectTarget(target: ConnectorTarget, { path, localAddress }: ConnectorOptions): ConnectOptions {
  const standard = target.protocol === 'https:' ? HTTPS_PORT : HTTP_PORT
  return {
    host: target.hostname,
    port: target.port === '' ? standard : Number(target.port),
    path: path ?? target.socketPath ?? undefined,
    localAddress: localAddress ?? target.localAddress ?? undefined,
  }
}

/** undici takes the name from the request's host header. */
function withName(tls: TlsOptions, { servername }: ConnectorTarget): TlsOptions {
  return servername ? { servername, ...tls } : tls
}

async function connectSecure(
  options: Omit<ConnectOptions, 'tls'> & { readonly tls: TlsOptions },
  header: HeaderInit,
  sessions: TlsSessions,
): Promise<TLSSocket> {
  const { tls, host, port } = options
  const server = `${String(tls.servername ?? host)}:${String(port)}`
  const session = sessions.get(server)
  try {
    const socket = await connect({ ...options, tls: { session, ...tls } }, header)
    sessions.collect(server, socket)
    return socket
  } catch (error) {
    sessions.forget(server)
    throw error
  }
}
