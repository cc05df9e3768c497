// Reads HOST:PORT, and refuses what could be read two ways.

import { isIP, isIPv6 } from 'node:net'
import { type AddressInput, refusal, splitOnce } from './address-input.ts'

/** No leading zeros, which some programs read as octal. */
const PORT = /^(?:0|[1-9]\d{0,4})$/

/** TCP ports have 16 bits (RFC 9293 section 3.1). */
export const MAX_PORT = 65_535

/** 255 octets on the wire (RFC 1035 section 2.3.4). */
const MAX_HOST_NAME_LENGTH = 253

/** RFC 1035 section 2.3.4, with the underscore of container platforms. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i

/** `inet_aton` takes such a name for an IPv4 address, such as `127.1`. */
const NUMERIC_END = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/i

export function parseHostPort(
  authority: string,
  input: AddressInput,
): { readonly host: string | undefined; readonly port: number } {
  const [host, port] = splitAuthority(authority, input)
  return { host: parseHost(host, input), port: parsePort(port, host, input) }
}

export function formatHostPort(host: string, port: number): string {
  return `${bracketed(host)}:${String(port)}`
}

export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

export function isHostName(host: string): boolean {
  const name = host.replace(/\.$/, '')
  if (name.length > MAX_HOST_NAME_LENGTH || NUMERIC_END.test(name)) return false
  return name.split('.').every(label => LABEL.test(label))
}

function splitAuthority(authority: string, input: AddressInput): readonly [string, string | undefined] {
  if (authority === '') throw refusal(input, 'it must have a host or a port, got neither')
  if (isIPv6(authority)) return [authority, undefined]
  const [whole, inside = '', outside] = /^\[(.*)\](?::(.*))?$/.exec(authority) ?? []
  if (whole !== undefined) {
    if (isIPv6(inside)) return [inside, outside]
    throw refusal(input, `what is in brackets must be an IPv6 address, got ${JSON.stringify(inside)}`)
  }
  const [host, port] = splitOnce(authority, ':')
  if (port?.includes(':') !== true) return [host, port]
  throw refusal(input, 'it must be HOST:PORT; an IPv6 host needs brackets, as in "[2001:db8::1]:80"')
}

function parseHost(host: string, input: AddressInput): string | undefined {
  if (host === '') return input.role === 'listen' ? undefined : 'localhost'
  // A zone (fe80::1%eth0) names an interface, which is case-sensitive.
  if (isIP(host) !== 0 || isHostName(host)) return host.replace(/^[^%]*/, part => part.toLowerCase())
  throw refusal(input, `the host must be a name or an IP address, got ${JSON.stringify(host)}${hintAt(host)}`)
}

function hintAt(host: string): string {
  if (host.startsWith('/')) return ` (a UNIX socket is written "unix:${host}")`
  return /^\d+$/.test(host) ? ` (a port on its own is written ":${host}")` : ''
}

function parsePort(port: string | undefined, host: string, input: AddressInput): number {
  const listening = input.role === 'listen'
  if (port === undefined) {
    if (listening && input.defaultPort !== undefined) return input.defaultPort
    throw refusal(input, `it must have a port, as in ${JSON.stringify(`${bracketed(host)}:PORT`)}`)
  }
  const lowest = listening ? 0 : 1
  if (PORT.test(port) && Number(port) >= lowest && Number(port) <= MAX_PORT) return Number(port)
  const what = `a plain number from ${String(lowest)} to ${String(MAX_PORT)}`
  throw refusal(input, `the port must be ${what}, got ${JSON.stringify(port)}`)
}
