// A relay that sends datagrams to itself would send them for ever.

import { type AddressInfo, isIP } from 'node:net'
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os'
import type { InetEndpoint } from 'proxyprotocol'
import { canonicalHost, ConfigError, type Service, type UdpAddress } from '../../config/index.ts'
import type { Member } from '../upstreams/index.ts'

const ANY = ['::', '0.0.0.0']

/** @throws ConfigError naming an upstream that is an address of this machine at the port where the service listens. */
export function refuseLoops({ listen, pool }: Service): void {
  const { host: at = '::', port } = listen as UdpAddress // a service of UDP has no other addresses
  const loop = pool.upstreams.find(({ address }) => {
    const { host = '', port: to } = address as UdpAddress
    return to === port && isIP(host) !== 0 && isReached(host, at)
  })
  if (loop) throw new ConfigError(`upstream ${loop.name} must not be where the service itself listens`)
}

/** A name may lead there too. */
export function isLoop({ endpoint }: Member, { address, port }: AddressInfo): boolean {
  const to = endpoint as InetEndpoint // members of UDP upstreams have one once their name is resolved
  return to.port === port && isReached(to.address, address)
}

function isReached(host: string, listen: string): boolean {
  const [to, at] = [canonicalHost(host), canonicalHost(listen)]
  if (to === at || !ANY.includes(at)) return to === at
  const own = Object.values(networkInterfaces() as Record<string, NetworkInterfaceInfo[]>).flat() // those that exist
  return ANY.includes(to) || to.startsWith('127.') || own.some(({ address }) => canonicalHost(address) === to)
}
