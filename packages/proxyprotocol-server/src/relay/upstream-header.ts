// The header for an upstream: about the peer, or about the client of an inbound header, with the TLVs on a list.

import {
  encodeHeader,
  type Endpoint,
  extensionType,
  ProxyProtocolError,
  tlv,
  tlvType,
  type HeaderInit,
  type InetEndpoint,
  type ProxyHeader,
  type Tlv,
} from 'proxyprotocol'
import { headerFor, type HeaderForOptions } from 'proxyprotocol/client'
import type { Listing } from 'proxyprotocol/dnsbl'
import type { Connection, ConnectionInfo } from 'proxyprotocol/server'
import type { Service } from '../config/index.ts'
import { describeListed } from './block-list-check.ts'
import type { ClientHello } from './passthrough/index.ts'

interface Known {
  readonly listing?: Listing | undefined
  readonly hello?: ClientHello | undefined
}

/** Of version 2: 16 bytes, and two paths of UNIX sockets. */
const MOST_FIXED_BYTES = 16 + 216
const TLV_HEAD_BYTES = 3
const MAX_BYTES = 65_551

const checksumTlv: Tlv = { type: tlvType.checksum, value: new Uint8Array(4) }

type Described = Pick<Connection, 'id' | 'info'> & Partial<Pick<Connection, 'socket'>>

export interface UpstreamHeaderOptions extends Pick<Service, 'header' | 'pass'> {
  readonly tls?: HeaderForOptions['tls']
  /** Those that are known, for version 2. */
  readonly tlvs: readonly Tlv[]
  /** All that are configured: a client must not be able to forge one. */
  readonly configured: readonly { readonly type: number }[]
}

export function upstreamHeader(
  { header, pass, tls, tlvs, configured }: UpstreamHeaderOptions,
  { id, socket, info }: Described,
  { listing, hello }: Known = {},
): HeaderInit | undefined {
  if (header === 'none') return undefined
  const uniqueId = Buffer.from(id.replaceAll('-', ''), 'hex')
  const version2 = { uniqueId, tls, tlvs: [...helloTlvs(hello), ...tlvs] }
  const options = header === 'v1' ? ({ version: 1 } as const) : version2
  const own = socket ? headerFor(socket, options) : headerOf(info, options)
  const inbound = info.header
  if (header === 'v1') return inbound ? withoutTlvs(inbound) : own
  const told = listing?.status === 'listed' ? [dnsblTlv(describeListed(listing))] : []
  if (inbound === undefined) return withExtension(own, told)
  if (inbound.command === 'LOCAL') return { command: 'LOCAL', tlvs: own.tlvs }
  const ownTlvs = own.tlvs as readonly Tlv[] // headerFor() always returns some
  const passed = (type: number): boolean => pass.has(type) && !configured.some(own => own.type === type)
  const merged = { ...inbound, version: 2, tlvs: mergeTlvs(ownTlvs, inbound.tlvs, passed) } as const
  const chained = withExtension(merged, [...told, ...knownOf(info.tlvs.extension)])
  if (mayBeTooLong(chained)) mustBeSendable(chained)
  return chained
}

/** As `headerFor()`, of a connection without a socket. */
function headerOf({ via }: ConnectionInfo, { version, uniqueId, tlvs = [] }: HeaderForOptions): HeaderInit {
  const [source, destination] = [unzoned(via.peer), unzoned(via.local)]
  if (source === undefined || destination === undefined) {
    throw new ProxyProtocolError('client_reset', { detail: 'it is gone, and so is its address' })
  }
  const id = uniqueId === undefined ? [] : [tlv.uniqueId(uniqueId)]
  return { version, source, destination, tlvs: [...id, ...tlvs] }
}

/** No header carries a zone. */
function unzoned(end: Endpoint | undefined): InetEndpoint | undefined {
  if (end === undefined || 'path' in end) return undefined
  return { address: end.address.replace(/%.*$/, ''), port: end.port }
}

function helloTlvs({ serverName, alpn = [] }: Partial<ClientHello> = {}): readonly Tlv[] {
  const [only, ...others] = alpn
  return [
    ...(serverName === undefined ? [] : [tlv.authority(serverName)]),
    ...(only && others.length === 0 ? [{ type: tlvType.alpn, value: only }] : []),
  ]
}

/** The first TLV of a type counts, so the relay's own come before those of the proxy in front. */
function withExtension(header: HeaderInit, extension: readonly Tlv[]): HeaderInit {
  if (extension.length === 0) return header
  const tlvs = header.tlvs as readonly Tlv[] // both callers pass some
  return { ...header, tlvs: [...tlvs, tlv.extension(extension)] }
}

function dnsblTlv(text: string): Tlv {
  return { type: extensionType.dnsbl, value: Buffer.from(text) }
}

function knownOf(extension: readonly Tlv[] = []): readonly Tlv[] {
  const known: readonly number[] = Object.values(extensionType)
  return extension.filter(({ type }) => known.includes(type))
}

/** Version 1 has no LOCAL. */
function withoutTlvs(inbound: ProxyHeader): HeaderInit {
  if (inbound.command === 'LOCAL') return { version: 1, family: 'UNSPEC' }
  return { ...inbound, version: 1, tlvs: [] }
}

/** The proxy in front stood nearer to the client, so its TLVs win. */
function mergeTlvs(
  own: readonly Tlv[],
  inbound: readonly Tlv[],
  isPassed: (type: number) => boolean,
): readonly Tlv[] {
  const kept = inbound.filter(({ type }) => isPassed(type))
  const known = new Set(kept.map(({ type }) => type))
  const checksum = inbound.some(({ type }) => type === tlvType.checksum) ? [checksumTlv] : []
  return [...checksum, ...own.filter(({ type }) => !known.has(type)), ...kept]
}

/** Each header was valid by itself. Only together they may be too long. */
function mayBeTooLong({ tlvs }: HeaderInit): boolean {
  const list = tlvs as readonly Tlv[] // the caller has merged them
  return list.reduce((sum, { value }) => sum + TLV_HEAD_BYTES + value.length, MOST_FIXED_BYTES) > MAX_BYTES
}

/** Before the upstream is connected. */
function mustBeSendable(header: HeaderInit): void {
  try {
    encodeHeader(header)
  } catch (cause) {
    const detail = `it cannot be sent on: ${(cause as Error).message}` // encoding throws Error objects only
    throw new ProxyProtocolError('header_invalid', { detail, cause })
  }
}
