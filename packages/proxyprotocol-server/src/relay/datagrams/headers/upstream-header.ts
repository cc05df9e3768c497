// The header that a flow's datagrams start with on their way to the upstream.

import { encodeDatagram, encodeSpp, type InetEndpoint } from 'proxyprotocol'
import type { SentHeader, Service } from '../../../config/index.ts'
import type { Announced } from './reader.ts'

const NO_PAYLOAD = new Uint8Array()

/** @param local where the relay listens, for a client without a header. */
export function headerBytes(
  sent: SentHeader,
  { source, destination: announced, header }: Announced,
  { local, pass }: { readonly local: InetEndpoint } & Pick<Service, 'pass'>,
): Uint8Array | undefined {
  if (sent === 'none') return undefined
  const destination = announced ?? beside(source, local)
  if (sent === 'spp') return encodeSpp({ source, destination }, NO_PAYLOAD)
  const isNamed = header === undefined || (header.command === 'PROXY' && header.family.startsWith('INET'))
  if (!isNamed) return encodeDatagram({ command: 'LOCAL' }, NO_PAYLOAD)
  const tlvs = header?.tlvs.filter(({ type }) => pass.has(type)) ?? []
  return encodeDatagram({ ...ofOneFamily(source, destination), tlvs }, NO_PAYLOAD)
}

/** A socket on `::` has clients of both families. Headers have no zones. */
function beside({ address }: InetEndpoint, local: InetEndpoint): InetEndpoint {
  const isOther = isIPv4(address) && local.address === '::'
  return { address: isOther ? '0.0.0.0' : local.address.replace(/%.*$/, ''), port: local.port }
}

/** The header of Spectrum may mix them. */
function ofOneFamily(source: InetEndpoint, destination: InetEndpoint) {
  if (isIPv4(source.address) === isIPv4(destination.address)) return { source, destination }
  return { source: mapped(source), destination: mapped(destination) }
}

function mapped(endpoint: InetEndpoint): InetEndpoint {
  return isIPv4(endpoint.address) ? { ...endpoint, address: `::ffff:${endpoint.address}` } : endpoint
}

function isIPv4(address: string): boolean {
  return !address.includes(':')
}
