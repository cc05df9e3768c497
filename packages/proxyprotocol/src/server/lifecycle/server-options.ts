// The options of createServer(), checked once at the start: a wrong option fails before the first connection.

import type { TlsOptions } from 'node:tls'
import {
  type AdmissionLimits,
  admissionNames,
  type AdmissionOptions,
  admissionSettings,
  type AdmissionSettings,
  type AdmissionTimeouts,
  limitNames,
  plainSettings,
} from '../admission/index.ts'
import { DEFAULT_HEADER_TIMEOUT } from '../header/index.ts'
import { checkNames, checkObject, limit, milliseconds, oneOf, optionalFunction } from '../../checks/index.ts'
import { descriptorLimit } from '../socket/index.ts'
import { checkTls } from '../tls/index.ts'
import type { OnError } from './report.ts'

/** The timeouts of a server that sets none, in milliseconds. */
export const defaultTimeouts: Readonly<Record<keyof ServerTimeouts, number>> = {
  header: DEFAULT_HEADER_TIMEOUT,
  /** As long as browsers wait. */
  handshake: 10_000,
  /** Longer than the keep-alives of common protocols; finite, so that vanished peers do not pile up. */
  idle: 600_000,
  /** Long enough for a slow reader; finite, so that a silent peer does not stay for ever. */
  halfClose: 60_000,
  abort: 5_000,
}
export const limitCodes: readonly string[] = ['limit_connections', 'limit_source', 'limit_rate', 'limit_fds']
/** Descriptors for the rest of the process: files, name look-ups, listeners, handlers. */
const SPARE_DESCRIPTORS = 64
const WAITING_DESCRIPTORS = 16

/** Durations in milliseconds. */
export interface ServerTimeouts extends AdmissionTimeouts {
  /** From the header to the end of the TLS handshake. Default 10000. */
  readonly handshake?: number | undefined
  /** Without a byte in either direction, up to a quarter more; `Infinity` for never. Default 600000. */
  readonly idle?: number | undefined
  /** From the handler's return to the peer's FIN; doubled for a peer that still takes bytes. Default 60000. */
  readonly halfClose?: number | undefined
  /** From an abort until a handler counts as stuck. Default 5000. */
  readonly abort?: number | undefined
}

export interface ServerLimits extends AdmissionLimits {
  /**
   * Connections at a time. By default as many as the limit on open files allows, if it is known; those above it count
   * as `limit_fds`.
   */
  readonly connections?: number | undefined
}

/** Options of all servers. */
export interface CommonServerOptions {
  readonly timeouts?: ServerTimeouts | undefined
  readonly limits?: ServerLimits | undefined
  /**
   * What to do with connections above a limit: `'close'` (default), `'reset'` or `'pause'`. With `'pause'`, those
   * above `connections` wait until there is room or their header is overdue. At most `pendingHeaders` wait, or 16 if
   * `connections` follows from the limit on open files. Others are closed. Node reads at most 128 KiB ahead of each.
   */
  readonly overLimit?: 'close' | 'reset' | 'pause' | undefined
  /** Makes it a TLS server, with options of `tls.createServer`: the handshake follows the header. */
  readonly tls?: Omit<TlsOptions, 'handshakeTimeout'> | undefined
  /**
   * Called once for each connection whose handler, trust predicate or validator fails, and without a connection for
   * an error of the listener. It is not awaited. Without it, and if it fails, errors become process warnings.
   */
  readonly onError?: OnError | undefined
  /** Aborting it aborts the server. */
  readonly signal?: AbortSignal | undefined
}

/** A server that expects a header in front of every connection. */
export interface HeaderServerOptions extends CommonServerOptions, AdmissionOptions {}

/** A server that reads no header. */
export interface PlainServerOptions extends CommonServerOptions {
  readonly version: 'none'
  /** Asked about each connection before its TLS handshake and its handler; the first error refuses it. */
  readonly validate?: AdmissionOptions['validate']
  readonly onRejected?: AdmissionOptions['onRejected']
}

/** What `createServer` takes. */
export type ServerOptions = HeaderServerOptions | PlainServerOptions

export interface ServerSettings extends AdmissionSettings {
  readonly connections: number
  readonly whyFull: 'limit_connections' | 'limit_fds'
  readonly waiting: number
  readonly overLimit: 'close' | 'reset' | 'pause'
  readonly handshakeTimeout: number
  readonly idleTimeout: number
  readonly halfCloseTimeout: number
  readonly abortTimeout: number
  readonly tls: TlsOptions | undefined
  readonly onError: OnError | undefined
}

export function checkArguments(options: unknown, handler: unknown): void {
  if (typeof options === 'function') {
    throw new TypeError(
      "options must be an object, got a function; did you mean createServer({ trust: ['10.0.0.0/8'] }, handler)?",
    )
  }
  if (typeof handler !== 'function') throw new TypeError(`handler must be a function, got ${typeof handler}`)
}

export function serverSettings(options: ServerOptions): ServerSettings {
  checkObject(options, 'options')
  const { timeouts = {}, limits = {}, onError, overLimit = 'close', tls } = options
  const own = ['timeouts', 'limits', 'overLimit', 'tls', 'onError', 'signal']
  checkNames(
    options,
    options.version === 'none' ? ['version', 'validate', 'onRejected', ...own] : [...admissionNames, ...own],
  )
  checkNames(timeouts, ['header', 'handshake', 'idle', 'halfClose', 'abort'], 'timeouts')
  checkNames(limits, ['connections', ...limitNames], 'limits')
  checkTls(tls)
  const { handshake = defaultTimeouts.handshake, halfClose = defaultTimeouts.halfClose } = timeouts
  const { idle = defaultTimeouts.idle, abort = defaultTimeouts.abort } = timeouts
  const admission =
    options.version === 'none'
      ? plainSettings(options, limits, timeouts)
      : admissionSettings(options, limits, timeouts)
  const { pendingHeaders } = admission
  const { connections = connectionsByDescriptors() } = limits
  return {
    ...admission,
    connections: limit(connections, 'limits.connections'),
    whyFull: limits.connections === undefined ? 'limit_fds' : 'limit_connections',
    waiting:
      limits.connections === undefined ? Math.min(pendingHeaders, WAITING_DESCRIPTORS) : pendingHeaders,
    overLimit: oneOf(overLimit, ['close', 'reset', 'pause'], 'overLimit'),
    handshakeTimeout: milliseconds(handshake, 'timeouts.handshake', 1), // Node takes 0 for no deadline
    idleTimeout: idle === Infinity ? idle : milliseconds(idle, 'timeouts.idle'),
    halfCloseTimeout: milliseconds(halfClose, 'timeouts.halfClose'),
    abortTimeout: milliseconds(abort, 'timeouts.abort'),
    tls,
    onError: optionalFunction(onError, 'onError'),
  }
}

function connectionsByDescriptors(): number {
  const descriptors = descriptorLimit()
  return descriptors === undefined ? Infinity : Math.max(1, descriptors - SPARE_DESCRIPTORS)
}
