// One address of an upstream's name, and how to connect to it.

import type { LookupAddress } from 'node:dns'
import { isIPv4, type LookupFunction } from 'node:net'
import type { Endpoint } from 'proxyprotocol'
import { type Address, type addressKey, formatHostPort } from '../../../config/index.ts'

/** The rest is of an SRV record. */
export interface FoundAddress extends LookupAddress {
  readonly port?: number
  /** Its part of the upstream's weight. */
  readonly share?: number
  readonly backup?: boolean
}

/** Unique among the members of an upstream. */
export function placeOf({ address, port }: FoundAddress): string {
  return port === undefined ? address : formatHostPort(address, port)
}

/** An address of a name, in place of the name. */
export function placed({ transport }: Address, host: string, port = 0): Parameters<typeof addressKey>[0] {
  return { transport: transport === 'udp' ? 'udp' : 'tcp', host, port }
}

export function endpointOf(address: Address, found: FoundAddress | undefined): Endpoint | undefined {
  if (address.transport === 'unix') return { path: address.path }
  const { host = '', port } = address
  if (found) return { address: found.address, port: found.port ?? port }
  if (address.transport === 'udp') return { address: host, port }
  return isIPv4(host) && host !== '0.0.0.0' ? { address: host, port } : undefined // 0.0.0.0 leads to loopback
}

export function lookupOf({ address, family }: LookupAddress): LookupFunction {
  return (_host, { all }, callback) => {
    if (all === true) callback(null, [{ address, family }])
    else callback(null, address, family)
  }
}
