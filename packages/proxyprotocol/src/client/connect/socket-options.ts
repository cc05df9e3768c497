// The options of connect() and openSocket().

import type { Socket, SocketConnectOpts, SocketConstructorOpts, TcpSocketConnectOpts } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { encodeHeader, type EncodeOptions, type HeaderInit } from '../../codec/index.ts'
import { boolean, milliseconds } from '../../checks/index.ts'
import { type TlsOptions, tlsSettings } from './tls-settings.ts'

/** A person who waits takes a slower host for dead. */
const DEFAULT_TIMEOUT = 5_000
/** Node's 250 ms are less than one retransmission; a second leaves time for four addresses. */
const ATTEMPT_TIMEOUT = 1_000

/** Options for `net.connect()`. */
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

/** Where and how to connect. */
export interface OpenSocketOptions extends EncodeOptions, SocketOptions {
  /** Name or address; default localhost. */
  readonly host?: string | undefined
  /** Required without `path`. */
  readonly port?: number | undefined
  /** A UNIX socket instead. */
  readonly path?: string | undefined
  /** TLS behind the header: `true`, or options of `tls.connect()`. */
  readonly tls?: boolean | TlsOptions | undefined
  /** Sends the header inside TLS. Default false. */
  readonly headerInsideTls?: boolean | undefined
  /** Milliseconds for look-up, all addresses and TLS together. Default 5000. */
  readonly timeout?: number | undefined
  /** Keeps your side open after the peer's FIN. Default false. */
  readonly allowHalfOpen?: boolean | undefined
}

export const openSocketNames: Readonly<Record<keyof OpenSocketOptions, true>> = {
  host: true,
  port: true,
  path: true,
  tls: true,
  headerInsideTls: true,
  timeout: true,
  checksum: true,
  padTo: true,
  allowHalfOpen: true,
  ...socketOptionNames,
}

export interface Prepared {
  readonly timeout: number
  readonly secure: ConnectionOptions | undefined
  readonly head: Uint8Array | undefined
  readonly isInside: boolean
}

export function prepare(options: OpenSocketOptions, header: HeaderInit | 'none'): Prepared {
  const { checksum, padTo, tls, host, headerInsideTls = false, timeout = DEFAULT_TIMEOUT } = options
  milliseconds(timeout, 'timeout')
  const isInside = boolean(headerInsideTls, 'headerInsideTls')
  const secure = tlsSettings(tls, host)
  if (isInside && !secure) throw new TypeError('headerInsideTls must be false without tls, got true')
  const head = header === 'none' ? undefined : encodeHeader(header, { checksum, padTo })
  return { timeout, secure, head, isInside }
}

/** One hidden class for all. Node would add the last three itself. */
export function socketSettings(options: OpenSocketOptions): SocketConnectOpts & SocketConstructorOpts {
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
  return settings as SocketConnectOpts // Node checks for a port or a path
}

/**
 * Resets if bytes have left: half a handshake must not pass for a complete stream. UNIX sockets have no RST.
 */
export function abandon(socket: Socket): void {
  if (socket.bytesWritten > 0 && socket.remoteAddress !== undefined) socket.resetAndDestroy()
  else socket.destroy()
}
