// The header that goes on: the relay's own about a client that came to it directly; behind another proxy the client of the
// inbound header, with those of its TLVs that are on a list.

import {
  encodeHeader,
  extensionType,
  ProxyProtocolError,
  tlv,
  tlvType,
  type HeaderInit,
  type ProxyHeader,
  type Tlv,
} from 'proxyprotocol'
import { headerFor, type HeaderForOptions } from 'proxyprotocol/client'
import type { Listing } from 'proxyprotocol/dnsbl'
import type { Connection } from 'proxyprotocol/server'
import type { Service } from '../config/index.ts'
import { describeListed } from './block-list-check.ts'
import type { ClientHello } from './passthrough/index.ts'

/** What else is known of the client. */
interface Known {
  /** That it is listed is told in the extension TLV of the Python library. */
  readonly listing?: Listing | undefined
  /** Its server name is the authority, and a single protocol that it offers the one there will be. */
  readonly hello?: ClientHello | undefined
}

/** Encoding fills it in. */
const checksumTlv: Tlv = { type: tlvType.checksum, value: new Uint8Array(4) }

/** What a service says about the header of an upstream. */
export interface UpstreamHeaderOptions extends Pick<Service, 'header' | 'pass'> {
  /** What is said of a client's TLS that ends here, as `headerFor` takes it. */
  readonly tls?: HeaderForOptions['tls']
  /** TLVs of the operator's own, for version 2. */
  readonly tlvs?: readonly Tlv[]
}

/**
 * The header for a connection's upstream; undefined where the service sends none.
 *
 * @throws ProxyProtocolError `client_reset` when the client is gone, `header_invalid` when the inbound header cannot be
 * sent on: with the relay's own TLVs it is too long, say.
 */
export function upstreamHeader(
  { header, pass, tls, tlvs = [] }: UpstreamHeaderOptions,
  { id, socket, info }: Pick<Connection, 'id' | 'socket' | 'info'>,
  { listing, hello }: Known = {},
): HeaderInit | undefined {
  if (header === 'none') return undefined
  const uniqueId = Buffer.from(id.replaceAll('-', ''), 'hex')
  const version2 = { uniqueId, tls, tlvs: [...helloTlvs(hello), ...tlvs] }
  const own = headerFor(socket, header === 'v1' ? { version: 1 } : version2)
  const inbound = info.header
  if (header === 'v1') return inbound ? withoutTlvs(inbound) : own
  const told = listing?.status === 'listed' ? [dnsblTlv(describeListed(listing))] : []
  if (inbound === undefined) return withExtension(own, told)
  if (inbound.command === 'LOCAL') return { command: 'LOCAL', tlvs: own.tlvs }
  const ownTlvs = own.tlvs as readonly Tlv[] // headerFor() always gives some
  const replaced = new Set(tlvs.map(({ type }) => type))
  const passed = (type: number): boolean => pass.has(type) && !replaced.has(type)
  const merged = { ...inbound, version: 2, tlvs: mergeTlvs(ownTlvs, inbound.tlvs, passed) } as const
  return sendable(withExtension(merged, [...told, ...knownOf(info.tlvs.extension)]))
}

function helloTlvs({ serverName, alpn = [] }: Partial<ClientHello> = {}): readonly Tlv[] {
  const [only, ...others] = alpn
  return [
    ...(serverName === undefined ? [] : [tlv.authority(serverName)]),
    ...(only && others.length === 0 ? [{ type: tlvType.alpn, value: only }] : []),
  ]
}

/** Of one type the first counts, so what the relay itself says stands before what the proxy in front said. */
function withExtension(header: HeaderInit, extension: readonly Tlv[]): HeaderInit {
  if (extension.length === 0) return header
  const tlvs = header.tlvs as readonly Tlv[] // both callers give some
  return { ...header, tlvs: [...tlvs, tlv.extension(extension)] }
}

function dnsblTlv(text: string): Tlv {
  return { type: extensionType.dnsbl, value: Buffer.from(text) }
}

/** Types without a known meaning are not passed on. */
function knownOf(extension: readonly Tlv[] = []): readonly Tlv[] {
  const known: readonly number[] = Object.values(extensionType)
  return extension.filter(({ type }) => known.includes(type))
}

/** Version 1 has no LOCAL: a check by the proxy in front is UNKNOWN there. */
function withoutTlvs(inbound: ProxyHeader): HeaderInit {
  if (inbound.command === 'LOCAL') return { version: 1, family: 'UNSPEC' }
  return { ...inbound, version: 1, tlvs: [] }
}

/** The proxy in front stood nearer to the client: of one type its TLVs go on, and the relay's own do not. */
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

/** Each header was in order by itself; together they may be longer than a header can be. */
function sendable(header: HeaderInit): HeaderInit {
  try {
    encodeHeader(header)
    return header
  } catch (cause) {
    const detail = `it cannot be sent on: ${(cause as Error).message}` // it throws nothing else
    throw new ProxyProtocolError('header_invalid', { detail, cause })
  }
}
