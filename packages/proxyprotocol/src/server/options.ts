// What a server is told, checked once at the start: a wrong option is an error before the first connection.

import { decodeHeader, type DecodeOptions } from '../codec/index.ts'
import { milliseconds } from './milliseconds.ts'
import { DEFAULT_HEADER_TIMEOUT, type ReadHeaderOptions } from './read-header.ts'
import type { OnError } from './report.ts'
import { compileTrust, type Peer, type Trust } from './trust.ts'

/** Long enough for a client that reads a last reply slowly, finite so that a silent one does not stay for ever. */
const DEFAULT_HALF_CLOSE_TIMEOUT = 60_000
/** What a handler may take to notice that it was aborted before it is called stuck. */
const DEFAULT_ABORT_TIMEOUT = 5_000

/** Durations in milliseconds. */
export interface ServerTimeouts {
  /** From accept to the last byte of the header. Default 5000. */
  readonly header?: number | undefined
  /** From the handler's return to the peer's FIN. Default 60000. */
  readonly halfClose?: number | undefined
  /** From an abort to the report of a handler as stuck, when the server closes. Default 5000. */
  readonly abort?: number | undefined
}

interface CommonOptions {
  readonly timeouts?: ServerTimeouts | undefined
  /**
   * Called exactly once for each connection whose handler (or trust predicate) throws or rejects, and without a
   * connection for an error of the listener. Nobody waits for it. Without it, and when it fails itself, such errors
   * become process warnings.
   */
  readonly onError?: OnError | undefined
  /** Aborting it aborts the server. */
  readonly signal?: AbortSignal | undefined
}

/** Which headers are accepted, and from whom. */
export interface AdmissionOptions extends Omit<DecodeOptions, 'versions'> {
  /** Which versions to accept. Default `'detect'`: both. */
  readonly version?: 'detect' | 'v1' | 'v2' | undefined
  /** Whose headers are believed; everybody else is turned away. */
  readonly trust: Trust
}

/** A server that expects a header in front of every connection. */
export interface HeaderServerOptions extends CommonOptions, AdmissionOptions {}

/** A server that reads no header at all, as if the protocol did not exist. */
export interface PlainServerOptions extends CommonOptions {
  readonly version: 'none'
}

export type ServerOptions = HeaderServerOptions | PlainServerOptions

/** Admission options after checking. */
export interface AdmissionSettings {
  /** Undefined where no header is read. */
  readonly isTrusted: ((peer: Peer) => boolean) | undefined
  readonly readHeader: ReadHeaderOptions
}

/** Options after checking. */
export interface ServerSettings extends AdmissionSettings {
  readonly halfCloseTimeout: number
  readonly abortTimeout: number
  readonly onError: OnError | undefined
}

const versions = { detect: [1, 2], v1: [1], v2: [2] } as const

/** @throws TypeError or RangeError naming the option that is wrong. */
export function serverSettings(options: ServerOptions): ServerSettings {
  const { timeouts = {}, onError } = options
  if (onError !== undefined && typeof onError !== 'function') {
    throw new TypeError(`onError must be a function, got ${typeof onError}`)
  }
  const { header, halfClose = DEFAULT_HALF_CLOSE_TIMEOUT } = timeouts
  const common = {
    halfCloseTimeout: milliseconds(halfClose, 'timeouts.halfClose'),
    abortTimeout: milliseconds(timeouts.abort ?? DEFAULT_ABORT_TIMEOUT, 'timeouts.abort'),
    onError,
  }
  const timeout = headerTimeout(header)
  if (options.version === 'none') return { ...common, isTrusted: undefined, readHeader: { timeout } }
  return { ...common, ...admissionSettings(options, timeout) }
}

/** @throws TypeError or RangeError naming the option that is wrong. */
export function admissionSettings(options: AdmissionOptions, timeout: number): AdmissionSettings {
  return { isTrusted: compileTrust(options.trust), readHeader: { ...decodeOptions(options), timeout } }
}

/** @throws RangeError when it is no duration. */
export function headerTimeout(timeout: number = DEFAULT_HEADER_TIMEOUT): number {
  return milliseconds(timeout, 'timeouts.header')
}

function decodeOptions(options: AdmissionOptions): DecodeOptions {
  const { version = 'detect', maxHeaderBytes, mixedFamilies } = options
  if (!Object.hasOwn(versions, version)) {
    throw new TypeError(`version must be 'detect', 'v1', 'v2' or 'none', got ${JSON.stringify(version)}`)
  }
  const checked = { versions: versions[version], maxHeaderBytes, mixedFamilies }
  decodeHeader(new Uint8Array(), checked) // throws for what is wrong
  return checked
}
