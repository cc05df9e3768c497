// Builders for the TLVs that `readTlvs` understands.

import { integer } from '../../checks/index.ts'
import { asciiBytes, bytesOrText, textBytes } from '../text.ts'
import { nestExtension } from './extension.ts'
import { type SslInit, sslTlv } from './ssl.ts'
import { MAX_TLV_BYTES, MAX_UNIQUE_ID_BYTES, type Tlv, tlvType } from './tlv.ts'
import { alibabaTlv, awsTlv, azureTlv, gcpTlv, spiffeTlv } from './vendor.ts'

/** The builders that `tlv` offers. */
export interface TlvBuilders {
  /** The selected protocol, for example `h2` (spec 2.2.1). */
  alpn(protocol: string): Tlv
  /** The requested host name; haproxy refuses more than 255 bytes (spec 2.2.2). */
  authority(name: string): Tlv
  /** Padding: `length` zero bytes and three of the TLV (spec 2.2.4). */
  noop(length: number): Tlv
  /** At most 128 bytes; text is sent as UTF-8 (spec 2.2.5). */
  uniqueId(id: string | Uint8Array): Tlv
  /** The client's TLS connection (spec 2.2.6). */
  ssl(init: SslInit): Tlv
  /** A network namespace, in US-ASCII (spec 2.2.7). */
  netns(name: string): Tlv
  /** Identity of a workload (Istio's ztunnel), at most 2048 bytes. */
  spiffe(id: string): Tlv
  /** Id of the VPC endpoint (AWS PrivateLink). */
  aws(vpcEndpointId: string): Tlv
  /** 0 to 2^32 - 1 (Azure Private Link). */
  azure(linkId: number): Tlv
  /** 0 to 2^64 - 1 (Google Cloud Private Service Connect). */
  gcp(pscConnectionId: bigint): Tlv
  /** One of the ids of Alibaba Cloud's PrivateLink, each in its own TLV. */
  alibaba(kind: 'vpcId' | 'endpointId' | 'endpointServiceId', id: string): Tlv
  /** The Python library's extension; see `extensionTlv` of `proxyprotocol/server`. */
  extension(tlvs: readonly Tlv[]): Tlv
}

/**
 * Builds TLVs, but not the checksum, which `encodeHeader` computes. Each builder throws a TypeError or
 * RangeError naming what is wrong.
 *
 * @example
 * ```ts run
 * import { encodeHeader, tlv } from 'proxyprotocol'
 *
 * encodeHeader({ command: 'LOCAL', tlvs: [tlv.alpn('h2'), tlv.uniqueId('request-7')] }, { checksum: true })
 * ```
 */
export const tlv: TlvBuilders = {
  alpn: protocol => ({ type: tlvType.alpn, value: textBytes(protocol, 'alpn') }),
  authority: name => ({ type: tlvType.authority, value: textBytes(name, 'authority') }),
  noop: noopTlv,
  uniqueId: uniqueIdTlv,
  ssl: sslTlv,
  netns: name => ({ type: tlvType.netns, value: asciiBytes(name, 'netns') }),
  spiffe: spiffeTlv,
  aws: awsTlv,
  azure: azureTlv,
  gcp: gcpTlv,
  alibaba: alibabaTlv,
  extension: nestExtension,
}

function noopTlv(length: number): Tlv {
  return { type: tlvType.noop, value: new Uint8Array(integer(length, [0, MAX_TLV_BYTES], 'length')) }
}

function uniqueIdTlv(id: string | Uint8Array): Tlv {
  const value = bytesOrText(id, 'uniqueId')
  if (value.length > MAX_UNIQUE_ID_BYTES) {
    throw new RangeError(`uniqueId must have at most 128 bytes, got ${String(value.length)}`)
  }
  return { type: tlvType.uniqueId, value }
}
