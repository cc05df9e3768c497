// How many flows a service may have: each takes a descriptor and a local port, except those that share a socket.

import { readFileSync } from 'node:fs'
import type { Service } from '../../config/index.ts'

/** The limit on connections counts two files for each. */
const FILES_PER_CONNECTION = 2

export function flowLimit({ datagrams, limits: { connections = Infinity }, pool }: Service): number {
  const { flows = 0 } = datagrams ?? {}
  if (pool.upstreams.every(({ header }) => header === 'spp')) return flows
  const limits = [flows, connections * FILES_PER_CONNECTION, localPorts()]
  return Math.min(...limits.filter(limit => limit !== undefined))
}

/** Ports that the kernel gives to sockets; undefined if it does not say. */
export function localPorts(file = '/proc/sys/net/ipv4/ip_local_port_range'): number | undefined {
  try {
    const [, first, last] = /^(\d+)\s+(\d+)/.exec(readFileSync(file, 'utf8')) ?? []
    return first === undefined ? undefined : Number(last) - Number(first) + 1
  } catch {
    return undefined // not Linux
  }
}
