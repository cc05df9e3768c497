// A header's TLVs by name.

import { uint32At } from '../bytes.ts'
import { asciiText, utf8Text } from '../text.ts'
import { readExtensionTlvs } from './extension.ts'
import { readSsl, type SslInfo } from './ssl.ts'
import { firstValue, MAX_UNIQUE_ID_BYTES, type Tlv, tlvType } from './tlv.ts'
import {
  type AlibabaInfo,
  type AwsInfo,
  type AzureInfo,
  type GcpInfo,
  readAlibaba,
  readAws,
  readAzure,
  readGcp,
  readSpiffe,
} from './vendor.ts'

const CHECKSUM_BYTES = 4

/** Known TLVs by name; undefined if missing or malformed. */
export interface TlvValues {
  /** The negotiated protocol, for example `h2` (spec 2.2.1). */
  readonly alpn: string | undefined
  /** The requested host name, as in SNI (spec 2.2.2). */
  readonly authority: string | undefined
  /** CRC-32C, verified by decoding (spec 2.2.3). */
  readonly checksum: number | undefined
  /** Opaque, at most 128 bytes (spec 2.2.5). */
  readonly uniqueId: Uint8Array | undefined
  /** The client's TLS connection (spec 2.2.6). */
  readonly ssl: SslInfo | undefined
  /** The network namespace (spec 2.2.7). */
  readonly netns: string | undefined
  /**
   * Identity of the client's workload (Istio's ztunnel), for example
   * `spiffe://cluster.local/ns/shop/sa/cart`.
   */
  readonly spiffe: string | undefined
  readonly aws: AwsInfo | undefined
  readonly azure: AzureInfo | undefined
  readonly gcp: GcpInfo | undefined
  readonly alibaba: AlibabaInfo | undefined
  /** The Python library's TLVs; see `readExtension` of `proxyprotocol/server`. */
  readonly extension: readonly Tlv[] | undefined
}

/**
 * Reads the TLVs of a header; the first of a type counts.
 *
 * @see Specification, sections 2.2.1 to 2.2.8.
 * @example
 * ```ts run
 * import { encodeHeader, parseHeader, readTlvs, tlv } from 'proxyprotocol'
 *
 * const header = parseHeader(encodeHeader({ command: 'LOCAL', tlvs: [tlv.authority('example.org')] }))
 * console.log(readTlvs(header).authority) // example.org
 * ```
 */
export function readTlvs(header: { readonly tlvs: readonly Tlv[] }): TlvValues {
  const { tlvs } = header
  return {
    alpn: read(tlvs, tlvType.alpn, utf8Text),
    authority: read(tlvs, tlvType.authority, utf8Text),
    checksum: onlyChecksum(tlvs),
    uniqueId: read(tlvs, tlvType.uniqueId, value =>
      value.length <= MAX_UNIQUE_ID_BYTES ? value : undefined,
    ),
    ssl: read(tlvs, tlvType.ssl, readSsl),
    netns: read(tlvs, tlvType.netns, asciiText),
    spiffe: read(tlvs, tlvType.spiffe, readSpiffe),
    aws: read(tlvs, tlvType.aws, readAws),
    azure: read(tlvs, tlvType.azure, readAzure),
    gcp: read(tlvs, tlvType.gcp, readGcp),
    alibaba: readAlibaba(tlvs),
    extension: firstExtension(tlvs),
  }
}

function read<T>(tlvs: readonly Tlv[], type: number, decode: (value: Uint8Array) => T): T | undefined {
  const value = firstValue(tlvs, type)
  return value === undefined ? undefined : decode(value)
}

/** Only LOCAL may hold several, and none of them is verified. */
function onlyChecksum(tlvs: readonly Tlv[]): number | undefined {
  let found: Uint8Array | undefined
  for (const { type, value } of tlvs) {
    if (type !== tlvType.checksum || value.length !== CHECKSUM_BYTES) continue
    if (found) return undefined
    found = value
  }
  return found && uint32At(found, 0)
}

/** Padding is a NOOP TLV, too. */
function firstExtension(tlvs: readonly Tlv[]): readonly Tlv[] | undefined {
  for (const { type, value } of tlvs) {
    const extension = type === tlvType.noop ? readExtensionTlvs(value) : undefined
    if (extension) return extension
  }
  return undefined
}
