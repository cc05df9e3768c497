// Refuses what it does not know, so nothing is ever read and ignored.

import {
  type AddressInput,
  type AddressRole,
  decodeText,
  encodeText,
  refusal,
  splitOnce,
} from './address-input.ts'
import { formatQuery, parseQuery, parseUdpQuery, type PpMode, type UdpMode } from './address-query.ts'
import { formatHostPort, isHostName, MAX_PORT, parseHostPort } from './host-port.ts'
import type { TlsSettings } from './tls.ts'

/** `unix:/run/app.sock` needs no slashes; `unix:8080` is a host and port. */
const SCHEME = /^(?:(?:(?:ssl|tls)\+)?(?:unix|srv)(?=:(?!\d))|[a-z][a-z0-9+.-]*(?=:\/\/))/i

/** The kernel's limit (`sun_path`) without the final zero. */
const MAX_PATH_LENGTH = 107

interface Settings {
  readonly pp: PpMode | undefined
  readonly tls: TlsSettings | undefined
}

interface HostPort {
  /** A host name or IP address in lower case, without brackets; `undefined` for every interface. */
  readonly host: string | undefined
  /** 0 in a listen address lets the system pick a port; with `srv` the records have the ports. */
  readonly port: number
  /** The name of the SRV records of an upstream; `host` is its domain then. */
  readonly srv?: string
}

/** A host and a port. */
export interface TcpAddress extends Settings, HostPort {
  readonly transport: 'tcp'
}

/** A host and a port for datagrams. */
export interface UdpAddress extends HostPort {
  readonly transport: 'udp'
  readonly pp: UdpMode | undefined
  readonly tls: undefined
}

/** A UNIX socket. */
export interface UnixAddress extends Settings {
  readonly transport: 'unix'
  readonly path: string
}

/** One end of a service, as {@link parseAddress} reads it. */
export type Address = TcpAddress | UnixAddress | UdpAddress

/** Options of {@link parseAddress}. */
export interface AddressOptions {
  /** Whether the address accepts connections or makes them. */
  readonly role: AddressRole
  /** The port of a listen address without one, 0 to 65535; an upstream address must name its port. */
  readonly defaultPort?: number
}

/**
 * Reads `HOST:PORT`, `:PORT`, `[IPV6]:PORT`, `HOST` or a bare IPv6 address, perhaps after `tcp://`, or `ssl://` or
 * `tls://` for TLS. It also reads `unix:/PATH` and the upstream `srv:NAME`, with TLS `ssl+unix:/PATH` and `ssl+srv:NAME`.
 * `?pp=v1`, `v2`, `detect` or `noop` may follow, and with TLS the {@link TlsSettings} in lower case, separated by `&`.
 * These are the address strings of the Python library, and more. `udp://` is for datagrams, with `?pp=v2`, `spp`,
 * `unsafe-first` or `noop`.
 *
 * `:PORT` listens on every interface, or connects to `localhost`. Values and paths are percent-encoded.
 *
 * @throws {ConfigError} for other text and for settings that cannot be used.
 * @throws {RangeError} if `defaultPort` is not a port.
 * @example
 * ```ts run
 * import { parseAddress } from 'proxyprotocol-server'
 *
 * parseAddress(':10007', { role: 'listen' }) // { transport: 'tcp', host: undefined, port: 10007, pp: undefined, … }
 * parseAddress('unix:/run/app.sock?pp=v1', { role: 'upstream' }) // { transport: 'unix', path: '/run/app.sock', pp: 'v1', … }
 * parseAddress('ssl://:443?cert=cert.pem&key=key.pem', { role: 'listen' }).tls?.minVersion // 'TLSv1.2'
 * ```
 */
export function parseAddress(text: string, options: AddressOptions): Address {
  checkDefaultPort(options.defaultPort)
  return addressOf({ ...options, text })
}

export function addressOf(input: AddressInput): Address {
  const { kind, secure, rest } = parseScheme(input)
  const [place, query = ''] = splitOnce(rest, '?')
  if (kind === 'udp')
    return { transport: 'udp', ...parseHostPort(place, input), ...parseUdpQuery(query, input) }
  const { pp, tls } = parseQuery(query, secure, input)
  if (kind === 'unix') return { transport: 'unix', path: parsePath(place, input), pp, tls }
  if (kind === 'srv') return { transport: 'tcp', ...parseService(place, input), port: 0, pp, tls }
  return { transport: 'tcp', ...parseHostPort(place, input), pp, tls }
}

/**
 * Writes an address that {@link parseAddress} reads as the same again.
 *
 * @example
 * ```ts run
 * import { formatAddress, parseAddress } from 'proxyprotocol-server'
 *
 * formatAddress(parseAddress('tcp://[2001:DB8::1]:80?pp=V1', { role: 'listen' })) // '[2001:db8::1]:80?pp=v1'
 * ```
 */
export function formatAddress(address: Address): string {
  return `${formatEndpoint(address)}${formatQuery(address)}`
}

export function formatEndpoint(address: Address): string {
  const isPlain = address.transport === 'tcp' && address.srv === undefined
  return `${address.tls ? (isPlain ? 'ssl://' : 'ssl+') : ''}${addressKey(address)}`
}

type Place =
  | Pick<TcpAddress, 'transport' | 'host' | 'port' | 'srv'>
  | Pick<UdpAddress, 'transport' | 'host' | 'port'>
  | Pick<UnixAddress, 'transport' | 'path'>

/** Without `ssl://`, because only one socket can listen there. */
export function addressKey(address: Place): string {
  if (address.transport === 'unix') return `unix:${encodeText(address.path)}`
  const place = formatHostPort(address.host ?? '', address.port)
  if (address.transport === 'udp') return `udp://${place}`
  return address.srv === undefined ? place : `srv:${address.srv}`
}

export function endpointOptions(
  address: Address,
): { readonly path: string } | { readonly host: string | undefined; readonly port: number } {
  return address.transport === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
}

function checkDefaultPort(port: number | undefined): void {
  if (port === undefined || (Number.isInteger(port) && port >= 0 && port <= MAX_PORT)) return
  throw new RangeError(`defaultPort must be an integer from 0 to ${String(MAX_PORT)}, got ${String(port)}`)
}

interface Scheme {
  readonly kind: 'tcp' | 'udp' | 'unix' | 'srv'
  readonly secure: boolean
  readonly rest: string
}

function parseScheme(input: AddressInput): Scheme {
  const { text } = input
  const [scheme] = SCHEME.exec(text) ?? []
  if (scheme === undefined) return { kind: 'tcp', secure: false, rest: text }
  const afterColon = text.slice(scheme.length + 1)
  const rest = afterColon.slice('//'.length)
  const [beside, secured, service] = /^(?:(ssl|tls)\+)?(?:unix|(srv))$/i.exec(scheme) ?? []
  if (beside !== undefined)
    return { kind: service === undefined ? 'unix' : 'srv', secure: secured !== undefined, rest: afterColon }
  switch (scheme.toLowerCase()) {
    case 'tcp':
      return { kind: 'tcp', secure: false, rest }
    case 'udp':
      return { kind: 'udp', secure: false, rest }
    case 'ssl':
    case 'tls':
      return { kind: 'tcp', secure: true, rest }
    default:
      throw refusal(
        input,
        `the scheme must be tcp, udp, ssl, tls, unix, srv, ssl+unix or ssl+srv, got ${JSON.stringify(scheme)}`,
      )
  }
}

/** Answers may be forged, so certificates are of the domain, not of the targets (RFC 6125 section 6.2.1). */
function parseService(text: string, input: AddressInput): { readonly host: string; readonly srv: string } {
  const srv = text.toLowerCase()
  if (input.role === 'listen') throw refusal(input, 'SRV records must be of an upstream')
  if (isHostName(srv)) return { host: srv.replace(/^(?:_[^.]*\.)+/, ''), srv }
  throw refusal(input, `"srv:" must stand before a name of SRV records, got ${JSON.stringify(text)}`)
}

function parsePath(encoded: string, input: AddressInput): string {
  // Two slashes would start a URL's host, which is missing here.
  if (!/^\/(?:$|[^/]|\/\/)/.test(encoded))
    throw refusal(input, 'a UNIX socket must be written "unix:/PATH", from the root')
  const path = decodeText(encoded, input).replace(/^\/+/, '/')
  if (path.includes('\0') || path.endsWith('/')) throw refusal(input, 'its path must be the name of a file')
  const length = Buffer.byteLength(path)
  if (length <= MAX_PATH_LENGTH) return path
  throw refusal(input, `its path must have at most ${String(MAX_PATH_LENGTH)} bytes, got ${String(length)}`)
}
