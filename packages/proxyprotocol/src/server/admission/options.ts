// The options that attach() and createServer() share, checked once at the start.

import { decodeOptions, type DecodeOptions } from '../../codec/index.ts'
import { DEFAULT_HEADER_TIMEOUT } from '../header/index.ts'
import { integer, limit, milliseconds, oneOf, optionalFunction, quote } from '../../checks/index.ts'
import { compileTrust, type Peer, type Trust } from '../../trust/index.ts'
import type { ConnectionInfo } from '../socket/index.ts'
import { type OnRejected, Refusals } from './refusals.ts'
import { compileSecure, type Secure } from './secure.ts'
import { allowSources, allowVpce, type Validator } from './validators.ts'

/** Far more than a load balancer opens at once, and a bound on what silent connections can hold. */
const DEFAULT_PENDING_HEADERS = 1_024
/** In bytes: the fixed part of version 2, and the most that its length field can announce (spec 2.2). */
const HEADER_BOUNDS = [16, 65_551] as const
/** The specification's least (section 2): one retransmission takes as long. */
const SHORT_HEADER_TIMEOUT = 3_000

/** Limits for what has not been admitted, and for each client. */
export interface AdmissionLimits {
  /** The longest version 2 header, in bytes. Default 4096, at most 65551. */
  readonly headerBytes?: number | undefined
  /** Connections that may wait for their headers at a time. Default 1024. */
  readonly pendingHeaders?: number | undefined
  /** Open connections of one source address, of one /64 for IPv6. Default `Infinity`. */
  readonly perSource?: number | undefined
  /** Networks and addresses that `perSource` does not count. Default none. */
  readonly perSourceExempt?: readonly string[] | undefined
}

/** How long a connection may take before its header is complete. */
export interface AdmissionTimeouts {
  /**
   * Milliseconds from accept to the last byte of the header. Default 5000. Below 3000 a process warning says that a
   * lost segment costs the connection.
   */
  readonly header?: number | undefined
}

/** Which headers are accepted, and from whom. */
export interface AdmissionOptions {
  /** Peers that may send headers. */
  readonly trust: Trust
  /** Which versions to accept. Default `'detect'`: both. */
  readonly version?: 'detect' | 'v1' | 'v2' | undefined
  /**
   * Peers that are not trusted. `'reject'` (default) refuses them. `'direct'` serves them as clients, whose bytes are
   * all payload. `'ignore'` does the same, but removes a header. It serves a silent peer after `timeouts.header`, and
   * refuses a broken header.
   */
  readonly untrusted?: 'reject' | 'direct' | 'ignore' | undefined
  /**
   * Trusted peers that send no header. `'reject'` (default) refuses them. `'direct'` serves them as clients, silent
   * ones after `timeouts.header`. It is unsafe except for a migration: clients behind the proxy may then send the
   * header (spec 2).
   */
  readonly missing?: 'reject' | 'direct' | undefined
  /** Asked about each sound header; the first error refuses the connection. */
  readonly validate?: Validator | readonly Validator[] | undefined
  /** An IPv4 address in a version 1 `TCP6` line: `'reject'` (default) or `'promote'`. */
  readonly mixedFamilies?: DecodeOptions['mixedFamilies']
  /**
   * Clients whose TLS ended at the load balancer. Their sockets show `encrypted`, so that frameworks see https, and
   * `isSecure()` is true. Default none.
   */
  readonly secure?: Secure | undefined
  /**
   * Called once for each refused connection, except for a peer that closes without a byte (`probe`). It is not
   * awaited, and its failure becomes a process warning. Without it and without a subscriber to the channel
   * `rejected`, refusals become process warnings, one a minute for each code.
   */
  readonly onRejected?: OnRejected | undefined
}

export const admissionNames: readonly string[] = [
  ...['trust', 'version', 'untrusted', 'missing', 'validate', 'mixedFamilies', 'secure', 'onRejected'],
]
export const limitNames: readonly string[] = ['headerBytes', 'pendingHeaders', 'perSource', 'perSourceExempt']

export interface AdmissionSettings {
  /** Undefined if no header is read. */
  readonly isTrusted: ((peer: Peer) => boolean) | undefined
  readonly untrusted: 'reject' | 'direct' | 'ignore'
  readonly missing: 'reject' | 'direct'
  readonly validators: readonly Validator[]
  readonly isSecure: ((info: ConnectionInfo) => boolean) | undefined
  readonly decode: DecodeOptions
  readonly headerTimeout: number
  readonly pendingHeaders: number
  readonly perSource: number
  readonly perSourceExempt: readonly string[]
  readonly refusals: Refusals
}

const versions = { detect: [1, 2], v1: [1], v2: [2] } as const

export function admissionSettings(
  options: AdmissionOptions,
  limits: AdmissionLimits,
  timeouts: AdmissionTimeouts,
): AdmissionSettings {
  const {
    pendingHeaders = DEFAULT_PENDING_HEADERS,
    perSource = Infinity,
    perSourceExempt = [],
    headerBytes,
  } = limits
  const { trust, untrusted = 'reject', missing = 'reject', validate = [], version, mixedFamilies } = options
  const { secure, onRejected } = options
  return {
    headerTimeout: headerTimeout(timeouts.header),
    pendingHeaders: limit(pendingHeaders, 'limits.pendingHeaders'),
    perSource: limit(perSource, 'limits.perSource'),
    perSourceExempt,
    isTrusted: compileTrust(trust),
    untrusted: oneOf(untrusted, ['reject', 'direct', 'ignore'], 'untrusted'),
    missing: oneOf(missing, ['reject', 'direct'], 'missing'),
    validators: validatorsOf(validate),
    isSecure: compileSecure(secure),
    decode: decodeRules(version, headerBytes, mixedFamilies),
    refusals: new Refusals(optionalFunction(onRejected, 'onRejected')),
  }
}

export function plainSettings(
  { validate, onRejected }: Pick<AdmissionOptions, 'validate' | 'onRejected'>,
  limits: AdmissionLimits,
  timeouts: AdmissionTimeouts,
): AdmissionSettings {
  const { header = DEFAULT_HEADER_TIMEOUT } = timeouts
  return {
    ...admissionSettings({ trust: 'anyone', validate, onRejected }, limits, {}),
    isTrusted: undefined,
    headerTimeout: milliseconds(header, 'timeouts.header'), // how long a connection waits for a slot
  }
}

function headerTimeout(timeout: number = DEFAULT_HEADER_TIMEOUT): number {
  milliseconds(timeout, 'timeouts.header')
  if (timeout < SHORT_HEADER_TIMEOUT) {
    const message =
      `timeouts.header is ${timeout} ms; below ${SHORT_HEADER_TIMEOUT} ms a header whose segment is lost and sent again ` +
      'comes too late (specification, section 2)'
    process.emitWarning(message, { type: 'ProxyProtocolWarning', code: 'header_timeout' })
  }
  return timeout
}

/** They make validators; JavaScript cannot tell the two apart. */
const makers: ReadonlyMap<unknown, string> = new Map([
  [allowSources, "allowSources(['192.0.2.0/24'])"],
  [allowVpce, "allowVpce(['vpce-08d2bf15fac5001c9'])"],
])

function validatorsOf(validate: Validator | readonly Validator[]): readonly Validator[] {
  const validators = [validate].flat()
  for (const each of validators) {
    const call = makers.get(each)
    if (call !== undefined) {
      throw new TypeError(`validate must have validators, got ${each.name}; did you mean ${call}?`)
    }
    if (typeof each === 'function') continue
    throw new TypeError(`validate must be a function or a list of functions, got ${typeof each}`)
  }
  return validators
}

function decodeRules(
  version: keyof typeof versions = 'detect',
  headerBytes: number | undefined,
  mixedFamilies: DecodeOptions['mixedFamilies'],
): DecodeOptions {
  if (!Object.hasOwn(versions, version)) {
    throw new TypeError(
      `version must be 'detect', 'v1', 'v2' or, for createServer(), 'none', got ${quote(version)}`,
    )
  }
  const maxHeaderBytes =
    headerBytes === undefined ? undefined : integer(headerBytes, HEADER_BOUNDS, 'limits.headerBytes')
  return decodeOptions({ versions: versions[version], maxHeaderBytes, mixedFamilies })
}
