// One builder for each TLV that `readTlvs` understands; anything else is written `{ type, value }`.

import { integer } from '../../checks/index.ts'
import { asciiBytes, bytesOrText, textBytes } from '../text.ts'
import { nestExtension } from './extension.ts'
import { type SslInit, sslTlv } from './ssl.ts'
import { MAX_TLV_BYTES, MAX_UNIQUE_ID_BYTES, type Tlv, tlvType } from './tlv.ts'
import { alibabaTlv, awsTlv, azureTlv, gcpTlv, spiffeTlv } from './vendor.ts'

/** The builders that `tlv` offers. */
export interface TlvBuilders {
  /** The selected application protocol, for example `h2` (spec 2.2.1). */
  alpn(protocol: string): Tlv
  /** The host name that the client asked for; haproxy refuses more than 255 bytes (spec 2.2.2). */
  authority(name: string): Tlv
  /** Padding: `length` zero bytes besides the TLV's own three (spec 2.2.4). */
  noop(length: number): Tlv
  /** Text is sent as UTF-8; at most 128 bytes (spec 2.2.5). */
  uniqueId(id: string | Uint8Array): Tlv
  /** The client's TLS connection (spec 2.2.6). */
  ssl(init: SslInit): Tlv
  /** A network namespace's name, in US-ASCII (spec 2.2.7). */
  netns(name: string): Tlv
  /** The identity of a workload, as Istio's ztunnel sends it; at most 2048 bytes. */
  spiffe(id: string): Tlv
  /** The id of the VPC endpoint, as AWS PrivateLink sends it. */
  aws(vpcEndpointId: string): Tlv
  /** The link id, 0 to 2^32 - 1, as Azure Private Link sends it. */
  azure(linkId: number): Tlv
  /** The connection id, 0 to 2^64 - 1, as Google Cloud's Private Service Connect sends it. */
  gcp(pscConnectionId: bigint): Tlv
  /** One of the ids that Alibaba Cloud's PrivateLink sends, each in a TLV of its own. */
  alibaba(kind: 'vpcId' | 'endpointId' | 'endpointServiceId', id: string): Tlv
  /** The private extension of the Python library; `extensionTlv` of `proxyprotocol/server` builds it from fields. */
  extension(tlvs: readonly Tlv[]): Tlv
}

/**
 * Builds TLVs; each builder throws a TypeError or RangeError that names what cannot be sent. The checksum is not among
 * them: `encodeHeader` computes it.
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
