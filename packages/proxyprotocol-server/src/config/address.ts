// Reads an address string from the outside in (scheme, query, host and port) and refuses whatever it does not know,
// so that nothing a user wrote is ever parsed and then ignored.

import { isIP, isIPv6 } from 'node:net'

import { ConfigError } from './config-error.ts'
import { nearest } from './nearest.ts'

const PP_MODES = ['v1', 'v2', 'detect', 'noop'] as const

/** Keys of the Python library's address strings that configure TLS, which these programs cannot do yet. */
const TLS_KEYS: readonly string[] = ['cert', 'key', 'verify', 'cafile', 'capath', 'cadata']

/** What stands before `://`; `unix` needs no slashes, as in `unix:/run/app.sock`, but `unix:8080` is a host and its port. */
const SCHEME = /^(?:unix(?=:(?!\d))|[a-z][a-z0-9+.-]*(?=:\/\/))/i

/** No leading zeros: some programs read those as octal. */
const PORT = /^(?:0|[1-9]\d{0,4})$/

/** The largest port: TCP gives it 16 bits (RFC 9293 section 3.1). */
const MAX_PORT = 65_535

/** The 255 octets of a name on the wire leave 253 characters of text (RFC 1035 section 2.3.4). */
const MAX_HOST_NAME_LENGTH = 253

/** Up to 63 characters (RFC 1035 section 2.3.4), with the underscore that container platforms put in service names. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i

/** A name that ends so is an IPv4 address to `inet_aton`, which completes `127.1` and reads `0177.0.0.1` as octal. */
const NUMERIC_END = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/i

/** Shown in every refusal. */
const EXAMPLES = { listen: '127.0.0.1:10007', upstream: '192.0.2.1:8080?pp=v1' } as const

/** How an address treats the PROXY protocol: one version, whichever version there is, or not at all. */
export type PpMode = (typeof PP_MODES)[number]

/** One end of a service, as {@link parseAddress} reads it. */
export interface Address {
  /** A host name or IP address in lower case, without brackets; `undefined` stands for every interface. */
  readonly host: string | undefined
  /** 0, on a listen address only, lets the system pick a port. */
  readonly port: number
  /** `undefined` where the text does not say. */
  readonly pp: PpMode | undefined
}

/** Options of {@link parseAddress}. */
export interface AddressOptions {
  /** What the address is for: accepting connections, or making them. */
  readonly role: 'listen' | 'upstream'
  /** The port of a listen address that names none, 0 to 65535; an upstream address always has to name its own. */
  readonly defaultPort?: number
}

/** The text with its options, so that a refusal anywhere can quote it whole. */
interface Input extends AddressOptions {
  readonly text: string
}

/**
 * Reads `HOST:PORT`, `:PORT`, `[IPV6]:PORT`, `HOST` or a bare IPv6 address, perhaps after `tcp://` and before
 * `?pp=v1`, `v2`, `detect` or `noop`: the address strings of the Python library, TLS left out.
 *
 * `:PORT` listens on every interface, or connects to `localhost`.
 *
 * @throws {ConfigError} when the text is no such address, or asks for TLS or a UNIX socket.
 * @throws {RangeError} when `defaultPort` is no port.
 *
 * @example
 * ```ts
 * import { parseAddress } from 'proxyprotocol-server'
 *
 * parseAddress(':10007', { role: 'listen' }) // { host: undefined, port: 10007, pp: undefined }
 * parseAddress('[2001:db8::1]:80?pp=v1', { role: 'upstream' }) // { host: '2001:db8::1', port: 80, pp: 'v1' }
 * ```
 */
export function parseAddress(text: string, options: AddressOptions): Address {
  checkDefaultPort(options.defaultPort)
  const input = { ...options, text }
  const [authority, query] = splitOnce(withoutScheme(input), '?')
  const pp = parseQuery(query ?? '', input)
  const [host, port] = splitAuthority(authority, input)
  return { host: parseHost(host, input), port: parsePort(port, host, input), pp }
}

/**
 * Writes an address as the string that {@link parseAddress} reads as the same address again.
 *
 * @example
 * ```ts
 * import { formatAddress } from 'proxyprotocol-server'
 *
 * formatAddress({ host: '2001:db8::1', port: 80, pp: 'v1' }) // '[2001:db8::1]:80?pp=v1'
 * ```
 */
export function formatAddress(address: Address): string {
  const { host, port, pp } = address
  return `${bracketed(host ?? '')}:${String(port)}${pp === undefined ? '' : `?pp=${pp}`}`
}

function checkDefaultPort(port: number | undefined): void {
  if (port === undefined || (Number.isInteger(port) && port >= 0 && port <= MAX_PORT)) return
  throw new RangeError(`defaultPort is ${String(port)}, wanted a whole number from 0 to ${String(MAX_PORT)}`)
}

function withoutScheme(input: Input): string {
  const [scheme] = SCHEME.exec(input.text) ?? []
  switch (scheme?.toLowerCase()) {
    case undefined:
      return input.text
    case 'tcp':
      return input.text.slice('tcp://'.length)
    case 'ssl':
    case 'tls':
      throw refusal(input, 'TLS is not supported by this version yet')
    case 'unix':
      throw refusal(input, 'UNIX sockets are not supported by this version yet')
    default:
      throw refusal(input, `there is no scheme ${JSON.stringify(scheme)}`)
  }
}

function parseQuery(query: string, input: Input): PpMode | undefined {
  if (query === '') return undefined
  let pp: string | undefined
  for (const pair of query.split('&')) {
    const [key, value = ''] = splitOnce(pair, '=')
    if (key !== 'pp') throw refusal(input, keyProblem(key))
    if (pp !== undefined) throw refusal(input, 'the key "pp" is given more than once')
    pp = value.toLowerCase()
  }
  if (pp === '') return undefined
  const mode = PP_MODES.find(known => known === pp)
  if (mode === undefined) {
    throw refusal(input, `"pp" is ${JSON.stringify(pp)}, wanted one of ${PP_MODES.join(', ')}`)
  }
  return mode
}

function keyProblem(key: string): string {
  const quoted = JSON.stringify(key)
  if (TLS_KEYS.includes(key))
    return `the key ${quoted} is for TLS, which is not supported by this version yet`
  const meant = nearest(key, ['pp', ...TLS_KEYS])
  if (meant === undefined) return `there is no key ${quoted}, only "pp"`
  return `there is no key ${quoted}, did you mean "${meant}"?`
}

function splitAuthority(authority: string, input: Input): readonly [string, string | undefined] {
  if (authority === '') throw refusal(input, 'it names neither a host nor a port')
  if (isIPv6(authority)) return [authority, undefined]
  const [whole, inside = '', outside] = /^\[(.*)\](?::(.*))?$/.exec(authority) ?? []
  if (whole !== undefined) {
    if (isIPv6(inside)) return [inside, outside]
    throw refusal(input, `only an IPv6 address stands in brackets, not ${JSON.stringify(inside)}`)
  }
  const [host, port] = splitOnce(authority, ':')
  if (port?.includes(':') !== true) return [host, port]
  throw refusal(input, 'it is not HOST:PORT (an IPv6 host needs brackets, as in "[2001:db8::1]:80")')
}

function parseHost(host: string, input: Input): string | undefined {
  if (host === '') return input.role === 'listen' ? undefined : 'localhost'
  // A zone (fe80::1%eth0) is the name of an interface, and those are case-sensitive.
  if (isIP(host) !== 0 || isHostName(host)) return host.replace(/^[^%]*/, part => part.toLowerCase())
  const hint = /^\d+$/.test(host) ? ` (a port on its own is written ":${host}")` : ''
  throw refusal(input, `${JSON.stringify(host)} is neither a host name nor an IP address${hint}`)
}

function isHostName(host: string): boolean {
  const name = host.replace(/\.$/, '')
  if (name.length > MAX_HOST_NAME_LENGTH || NUMERIC_END.test(name)) return false
  return name.split('.').every(label => LABEL.test(label))
}

function parsePort(port: string | undefined, host: string, input: Input): number {
  const listening = input.role === 'listen'
  if (port === undefined) {
    if (listening && input.defaultPort !== undefined) return input.defaultPort
    throw refusal(input, `it names no port, which ${JSON.stringify(`${bracketed(host)}:PORT`)} would`)
  }
  const lowest = listening ? 0 : 1
  if (PORT.test(port) && Number(port) >= lowest && Number(port) <= MAX_PORT) return Number(port)
  const wanted = `a plain number from ${String(lowest)} to ${String(MAX_PORT)}`
  throw refusal(input, `the port ${JSON.stringify(port)} is not ${wanted}`)
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function refusal(input: Input, problem: string): ConfigError {
  const { role, text } = input
  return new ConfigError(
    `${role} address ${JSON.stringify(text)}: ${problem}; a right one is "${EXAMPLES[role]}"`,
  )
}
