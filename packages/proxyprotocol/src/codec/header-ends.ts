// Checks the ends of a header to encode, for both versions.

import { oneOf, quote } from '../checks/index.ts'
import { ADDRESS_BYTES, mapV4, writeAddress } from './address/index.ts'
import type { HeaderInit, InetInit, UnixInit } from './header-init.ts'
import type { InetEndpoint } from './header.ts'

/** All 16 bytes, or the last four for family 4; valid until the next `writeEnds`. */
export const sourceBytes: Uint8Array = new Uint8Array(ADDRESS_BYTES)
export const destinationBytes: Uint8Array = new Uint8Array(ADDRESS_BYTES)

const COMMANDS = ['LOCAL', 'PROXY'] as const
const FAMILIES = ['INET', 'INET6', 'UNIX', 'UNSPEC'] as const
const TRANSPORTS = ['STREAM', 'DGRAM'] as const

/** Undefined for LOCAL and UNSPEC. */
export function endsOf(header: HeaderInit): InetInit | UnixInit | undefined {
  if (header.command !== undefined) oneOf(header.command, COMMANDS, 'command')
  if (header.family !== undefined) oneOf(header.family, FAMILIES, 'family')
  if (header.command === 'LOCAL' || header.family === 'UNSPEC') return undefined
  if (header.transport !== undefined) oneOf(header.transport, TRANSPORTS, 'transport')
  const wanted = isUnix(header) ? 'path' : 'address'
  checkEnd(header.source, 'source', wanted)
  checkEnd(header.destination, 'destination', wanted)
  return header
}

export function isUnix(header: InetInit | UnixInit): header is UnixInit {
  if (header.family !== undefined) return header.family === 'UNIX'
  const source: unknown = header.source
  return typeof source === 'object' && source !== null && 'path' in source
}

/** Returns the family that fits both ends: mixed ones travel as IPv6 (spec 4.2). */
export function writeEnds(header: InetInit): 4 | 6 {
  const source = writeEnd(header.source, 'source', sourceBytes)
  const destination = writeEnd(header.destination, 'destination', destinationBytes)
  const family = source === 4 && destination === 4 && header.family !== 'INET6' ? 4 : 6
  if (family === 6 && header.family === 'INET') {
    throw new TypeError(`family is 'INET' but ${source === 6 ? 'source' : 'destination'}.address is IPv6`)
  }
  if (family === 6 && source === 4) mapV4(sourceBytes)
  if (family === 6 && destination === 4) mapV4(destinationBytes)
  return family
}

function writeEnd(endpoint: InetEndpoint, name: 'source' | 'destination', out: Uint8Array): 4 | 6 {
  const { address, port } = endpoint
  const family = typeof address === 'string' ? writeAddress(address, out) : 0
  if (family === 0) {
    throw new TypeError(`${name}.address must be an IPv4 or IPv6 address without zone, got ${quote(address)}`)
  }
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) {
    throw new RangeError(`${name}.port must be an integer from 0 to 65535, got ${quote(port)}`)
  }
  return family
}

function checkEnd(endpoint: unknown, name: string, wanted: 'path' | 'address'): void {
  if (typeof endpoint === 'object' && endpoint !== null && wanted in endpoint) return
  const shape = wanted === 'path' ? '{ path }' : '{ address, port }'
  throw new TypeError(`${name} must be ${shape}, got ${quote(endpoint)}`)
}
