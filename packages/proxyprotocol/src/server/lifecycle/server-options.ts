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

/** What holds where a timeout is not given, in milliseconds. */
export const defaultTimeouts: Readonly<Record<keyof ServerTimeouts, number>> = {
  header: DEFAULT_HEADER_TIMEOUT,
  /** As a client's browser waits; a handshake takes two round trips and some milliseconds of work. */
  handshake: 10_000,
  /** Longer than keep-alives of common protocols, finite so that connections whose peer has vanished do not pile up. */
  idle: 600_000,
  /** Long enough for a client that reads a last reply slowly, finite so that a silent one does not stay for ever. */
  halfClose: 60_000,
  /** What a handler may take to notice that it was aborted before it is called stuck. */
  abort: 5_000,
}
/** What `overLimit` is about. */
export const limitCodes: readonly string[] = ['limit_connections', 'limit_source', 'limit_rate', 'limit_fds']
/** Descriptors left to the rest of the process: files, name look-ups, the listener, what handlers open. */
const SPARE_DESCRIPTORS = 64
/** How many of those connections may hold that wait for a place. */
const WAITING_DESCRIPTORS = 16

/** Durations in milliseconds. */
export interface ServerTimeouts extends AdmissionTimeouts {
  /** From the header to the end of the TLS handshake. Default 10000. */
  readonly handshake?: number | undefined
  /** Without a byte in either direction, up to a quarter more; `Infinity` for never. Default 600000. */
  readonly idle?: number | undefined
  /** From the handler's return to the peer's FIN; a peer that still takes bytes has as long again. Default 60000. */
  readonly halfClose?: number | undefined
  /** From an abort to the report of a handler as stuck. Default 5000. */
  readonly abort?: number | undefined
}

export interface ServerLimits extends AdmissionLimits {
  /**
   * Connections at a time. Default: what the limit on open files leaves, where the system tells it; those over it are
   * counted as `limit_fds` then.
   */
  readonly connections?: number | undefined
}

/** What all servers are told. */
export interface CommonServerOptions {
  readonly timeouts?: ServerTimeouts | undefined
  readonly limits?: ServerLimits | undefined
  /**
   * What to do with connections over a limit: `'close'` (default), `'reset'`, or `'pause'`. With `'pause'` those over
   * `connections` wait, unread, until there is room or their header is overdue; others are closed. At most
   * `pendingHeaders` wait at a time, or 16 if `connections` follows from the limit on open files.
   */
  readonly overLimit?: 'close' | 'reset' | 'pause' | undefined
  /** Makes it a TLS server, with these options of `tls.createServer`: the handshake follows the header. */
  readonly tls?: Omit<TlsOptions, 'handshakeTimeout'> | undefined
  /**
   * Called exactly once for each connection whose handler, trust predicate or validator throws or rejects, and without
   * a connection for an error of the listener. It is not awaited. Without it, and if it fails itself, such errors
   * become process warnings.
   */
  readonly onError?: OnError | undefined
  /** Aborting it aborts the server. */
  readonly signal?: AbortSignal | undefined
}

/** A server that expects a header in front of every connection. */
export interface HeaderServerOptions extends CommonServerOptions, AdmissionOptions {}

/** A server that reads no header at all, as if the protocol did not exist. */
export interface PlainServerOptions extends CommonServerOptions {
  readonly version: 'none'
  /** Asked about each connection before its TLS handshake and its handler; the first that gives an error refuses it. */
  readonly validate?: AdmissionOptions['validate']
  readonly onRejected?: AdmissionOptions['onRejected']
}

/** What `createServer` takes: with headers, or with none at all. */
export type ServerOptions = HeaderServerOptions | PlainServerOptions

/** Options after checking; durations in milliseconds. */
export interface ServerSettings extends AdmissionSettings {
  readonly connections: number
  /** The reason of connections that are too many. */
  readonly whyFull: 'limit_connections' | 'limit_fds'
  /** Connections that may wait for a place at a time. */
  readonly waiting: number
  readonly overLimit: 'close' | 'reset' | 'pause'
  readonly handshakeTimeout: number
  readonly idleTimeout: number
  readonly halfCloseTimeout: number
  readonly abortTimeout: number
  readonly tls: TlsOptions | undefined
  readonly onError: OnError | undefined
}

/** @throws TypeError naming the argument that is wrong. */
export function checkArguments(options: unknown, handler: unknown): void {
  if (typeof options === 'function') {
    throw new TypeError(
      "options must be an object, got a function; did you mean createServer({ trust: ['10.0.0.0/8'] }, handler)?",
    )
  }
  if (typeof handler !== 'function') throw new TypeError(`handler must be a function, got ${typeof handler}`)
}

/** @throws TypeError or RangeError naming the option that is wrong. */
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
    handshakeTimeout: milliseconds(handshake, 'timeouts.handshake'),
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
