// The typed view of a header's TLVs: every known type by name, read on top of the raw list, which stays as it is.

import { uint32At } from '../bytes.ts'
import { asciiText, utf8Text } from '../text.ts'
import { readExtensionTlvs } from './extension.ts'
import { readSsl, type SslInfo } from './ssl.ts'
import { firstValues, MAX_UNIQUE_ID_BYTES, type Tlv, tlvType } from './tlv.ts'
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

/** Known TLVs by name; undefined where a header has none, or one whose value is not what its type promises. */
export interface TlvValues {
  /** The application protocol that was negotiated, for example `h2` (spec 2.2.1). */
  readonly alpn: string | undefined
  /** The host name that the client asked for, as in SNI (spec 2.2.2). */
  readonly authority: string | undefined
  /** The CRC-32C; decoding has verified it (spec 2.2.3). */
  readonly checksum: number | undefined
  /** Opaque, at most 128 bytes (spec 2.2.5). */
  readonly uniqueId: Uint8Array | undefined
  /** The client's TLS connection (spec 2.2.6). */
  readonly ssl: SslInfo | undefined
  /** The network namespace (spec 2.2.7). */
  readonly netns: string | undefined
  /** The identity of the client's workload, as Istio's ztunnel sends it, for example `spiffe://cluster.local/ns/shop/sa/cart`. */
  readonly spiffe: string | undefined
  readonly aws: AwsInfo | undefined
  readonly azure: AzureInfo | undefined
  readonly gcp: GcpInfo | undefined
  readonly alibaba: AlibabaInfo | undefined
  /** The TLVs that the Python library's servers add; `readExtension` of `proxyprotocol/server` reads them. */
  readonly extension: readonly Tlv[] | undefined
}

/**
 * Reads the TLVs of a header. Where a type stands more than once the first one counts; all of them stay in `tlvs`.
 *
 * @see Specification, sections 2.2.1 to 2.2.8.
 *
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
  const values = firstValues(tlvs)
  const read = <T>(type: number, decode: (value: Uint8Array) => T): T | undefined => {
    const value = values.get(type)
    return value === undefined ? undefined : decode(value)
  }
  return {
    alpn: read(tlvType.alpn, utf8Text),
    authority: read(tlvType.authority, utf8Text),
    checksum: onlyChecksum(allValues(tlvs, tlvType.checksum)),
    uniqueId: read(tlvType.uniqueId, value => (value.length <= MAX_UNIQUE_ID_BYTES ? value : undefined)),
    ssl: read(tlvType.ssl, readSsl),
    netns: read(tlvType.netns, asciiText),
    spiffe: read(tlvType.spiffe, readSpiffe),
    aws: read(tlvType.aws, readAws),
    azure: read(tlvType.azure, readAzure),
    gcp: read(tlvType.gcp, readGcp),
    alibaba: readAlibaba(allValues(tlvs, tlvType.alibaba)),
    extension: firstExtension(tlvs),
  }
}

/** The checksum that decoding has verified; with several, which only LOCAL may hold, it could verify none. */
function onlyChecksum(values: readonly Uint8Array[]): number | undefined {
  const [value, second] = values.filter(({ length }) => length === 4)
  return value && !second ? uint32At(value, 0) : undefined
}

/** Padding may stand before the extension, as both are NOOP TLVs. */
function firstExtension(tlvs: readonly Tlv[]): readonly Tlv[] | undefined {
  for (const value of allValues(tlvs, tlvType.noop)) {
    const extension = readExtensionTlvs(value)
    if (extension) return extension
  }
  return undefined
}

function allValues(tlvs: readonly Tlv[], type: number): readonly Uint8Array[] {
  return tlvs.filter(tlv => tlv.type === type).map(({ value }) => value)
}
