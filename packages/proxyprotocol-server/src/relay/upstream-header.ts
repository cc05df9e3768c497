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

interface Known {
  /** The extension TLV of the Python library carries a listing. */
  readonly listing?: Listing | undefined
  /** From the ClientHello: its server name, and its protocol if it offers one only. */
  readonly hello?: ClientHello | undefined
}

/** Encoding computes it. */
const checksumTlv: Tlv = { type: tlvType.checksum, value: new Uint8Array(4) }

export interface UpstreamHeaderOptions extends Pick<Service, 'header' | 'pass'> {
  readonly tls?: HeaderForOptions['tls']
  /** The operator's own TLVs that are known, for version 2. */
  readonly tlvs: readonly Tlv[]
  /** All that are configured: a client must not be able to forge one that is not known. */
  readonly configured: readonly { readonly type: number }[]
}

/**
 * @throws ProxyProtocolError `client_reset` if the client is gone, `header_invalid` if the inbound header cannot be
 * sent on.
 */
export function upstreamHeader(
  { header, pass, tls, tlvs, configured }: UpstreamHeaderOptions,
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
  const ownTlvs = own.tlvs as readonly Tlv[] // headerFor() always returns some
  const passed = (type: number): boolean => pass.has(type) && !configured.some(own => own.type === type)
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

/** Version 1 has no LOCAL, so a check by the proxy in front becomes UNKNOWN. */
function withoutTlvs(inbound: ProxyHeader): HeaderInit {
  if (inbound.command === 'LOCAL') return { version: 1, family: 'UNSPEC' }
  return { ...inbound, version: 1, tlvs: [] }
}

/** The proxy in front stood nearer to the client, so its TLVs replace the relay's of the same type. */
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

/** Each header was valid by itself; together they may be too long. */
function sendable(header: HeaderInit): HeaderInit {
  try {
    encodeHeader(header)
    return header
  } catch (cause) {
    const detail = `it cannot be sent on: ${(cause as Error).message}` // encoding throws Error objects only
    throw new ProxyProtocolError('header_invalid', { detail, cause })
  }
}
