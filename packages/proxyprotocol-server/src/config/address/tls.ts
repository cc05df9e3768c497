// Settings without effect are refused, so nothing is ever read and ignored.

import { ConfigError, nearest } from '../text/index.ts'
import type { AddressRole } from './address-input.ts'
import { isHostName } from './host-port.ts'

const VERIFY = ['CERT_NONE', 'CERT_OPTIONAL', 'CERT_REQUIRED'] as const
/** From old to new. */
export const TLS_VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const

/** RFC 7301 section 3.1: a byte holds the length. */
export const MAX_PROTOCOL_LENGTH = 255

/** Whether the other end must present a certificate, and a valid one. */
export type TlsVerify = (typeof VERIFY)[number]
/** The oldest accepted version of TLS; those before 1.2 are not safe (RFC 8996). */
export type TlsVersion = (typeof TLS_VERSIONS)[number]

/** TLS on one side of a service, with defaults. Files are PEM. */
export interface TlsSettings {
  /** Our certificate and its chain; required at a listen address. */
  readonly cert: string | undefined
  /** Its key; undefined if the certificate's file has it. */
  readonly key: string | undefined
  /**
   * At a listen address `CERT_NONE` asks for no client certificate, `CERT_OPTIONAL` takes none or a valid one,
   * `CERT_REQUIRED` a valid one. Upstream `CERT_REQUIRED` checks certificate and name, `CERT_NONE` neither.
   */
  readonly verify: TlsVerify
  /** A file of authorities; upstream the default is Node's. */
  readonly cafile: string | undefined
  /** A directory of authorities, named by `openssl rehash`. */
  readonly capath: string | undefined
  /** The authorities as text. */
  readonly cadata: string | undefined
  readonly minVersion: TlsVersion
  /** Protocols (ALPN), best first; a listen address refuses clients that offer none of them. */
  readonly alpn: readonly string[]
  /** Upstream: the name to request (SNI) and to find in the certificate. Default: the host. */
  readonly servername: string | undefined
}

/** {@link TlsSettings} as users write them, without defaults. */
export type TlsInit = { readonly [Name in keyof TlsSettings]?: TlsSettings[Name] }

const names: Readonly<Record<keyof TlsSettings, true>> = {
  cert: true,
  key: true,
  verify: true,
  cafile: true,
  capath: true,
  cadata: true,
  minVersion: true,
  alpn: true,
  servername: true,
}

const AUTHORITIES = ['cafile', 'capath', 'cadata'] as const

/**
 * Fills in the defaults: `verify` `CERT_NONE` at a listen address and `CERT_REQUIRED` upstream, `minVersion` `TLSv1.2`.
 *
 * @throws {ConfigError} naming a setting that is wrong, missing, or without effect on this side.
 * @example
 * ```ts run
 * import { settleTls } from 'proxyprotocol-server'
 *
 * settleTls({ cert: 'cert.pem', alpn: ['h2'] }, 'listen').verify // 'CERT_NONE'
 * settleTls({ servername: 'example.org' }, 'upstream').verify // 'CERT_REQUIRED'
 * ```
 */
export function settleTls(init: TlsInit, role: AddressRole): TlsSettings {
  const problem = tlsProblem(init, role) ?? missingCert(init, role)
  if (problem !== undefined) throw new ConfigError(`${role} TLS: ${problem}`)
  return filledTls(init, role)
}

export function filledTls(init: TlsInit, role: AddressRole): TlsSettings {
  const { cert, key, verify = defaultVerify(role), cafile, capath, cadata } = init
  const { minVersion = 'TLSv1.2', alpn = [], servername } = init
  return { cert, key, verify, cafile, capath, cadata, minVersion, alpn, servername }
}

/** `tls` of a service may have the certificates instead. */
export function missingCert({ cert }: TlsInit, role: AddressRole): string | undefined {
  if (role === 'upstream' || cert !== undefined) return undefined
  return '"cert" must be the file of the certificate, got nothing'
}

export function tlsProblem(init: TlsInit, role: AddressRole): string | undefined {
  return unknownName(init) ?? wrongValue(init) ?? wrongSide(init, role) ?? uselessAuthorities(init, role)
}

function defaultVerify(role: AddressRole): TlsVerify {
  return role === 'listen' ? 'CERT_NONE' : 'CERT_REQUIRED'
}

function unknownName(init: TlsInit): string | undefined {
  const known = Object.keys(names)
  const unknown = Object.keys(init).find(name => !known.includes(name))
  if (unknown === undefined) return undefined
  const meant = nearest(unknown, known)
  return `its settings must be of ${known.join(', ')}, got "${unknown}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`
}

function wrongValue(init: TlsInit): string | undefined {
  const { verify = 'CERT_NONE', minVersion = 'TLSv1.2', alpn = [], servername } = init
  if (!VERIFY.includes(verify)) return notOneOf('verify', verify, VERIFY)
  if (!TLS_VERSIONS.includes(minVersion)) return notOneOf('minVersion', minVersion, TLS_VERSIONS)
  const odd = alpn.find((name, at) => !isProtocol(name) || alpn.indexOf(name) !== at)
  if (odd !== undefined) {
    return `"alpn" must be different names of 1 to ${MAX_PROTOCOL_LENGTH} bytes, got ${JSON.stringify(odd)}`
  }
  if (servername !== undefined && !isHostName(servername)) {
    return `"servername" must be a host name and not an IP address, got ${JSON.stringify(servername)}`
  }
  return undefined
}

/** Real protocols have no control characters or spaces, and commas separate them. */
export function isProtocol(name: string): boolean {
  const length = Buffer.byteLength(name)
  return length > 0 && length <= MAX_PROTOCOL_LENGTH && /^[!-+\--~]+$/.test(name)
}

function notOneOf(name: string, value: unknown, words: readonly string[]): string {
  return `"${name}" must be one of ${words.join(', ')}, got ${JSON.stringify(value)}`
}

function wrongSide({ cert, key, verify, servername }: TlsInit, role: AddressRole): string | undefined {
  if (key !== undefined && cert === undefined) return '"key" must stand beside "cert", got it alone'
  if (role === 'listen' && servername !== undefined)
    return '"servername" must stand in upstream addresses only'
  if (role === 'upstream' && verify === 'CERT_OPTIONAL') {
    return '"verify" must be CERT_REQUIRED or CERT_NONE for upstreams, got CERT_OPTIONAL'
  }
  return undefined
}

/** Without its own authorities a server would accept client certificates of every public authority. */
function uselessAuthorities(init: TlsInit, role: AddressRole): string | undefined {
  const { verify = defaultVerify(role) } = init
  const given = AUTHORITIES.find(name => init[name] !== undefined)
  if (verify === 'CERT_NONE') {
    return given && `"${given}" must stand beside a "verify" other than CERT_NONE`
  }
  if (role === 'upstream' || given !== undefined) return undefined
  return `"verify" ${verify} must stand beside "cafile", "capath" or "cadata", which sign the client certificates`
}
