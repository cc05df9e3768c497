// TLVs of vendors. Anybody may use their types (spec 2.2.8), so only the exact layout counts.

import { integer, quote } from '../../checks/index.ts'
import { asciiBytes, asciiText } from '../text.ts'
import { type Tlv, tlvType } from './tlv.ts'

const AWS_VPCE_ID = 0x01
const AZURE_LINK_ID = 0x01
const AZURE_BYTES = 5
const GCP_BYTES = 8
const ALIBABA_SUBTYPES = { vpcId: 0x01, endpointId: 0x02, endpointServiceId: 0x03 } as const
/** SPIFFE-ID, section 2. */
const SPIFFE_ID = /^spiffe:\/\/[a-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/
const MAX_SPIFFE_BYTES = 2_048
const MAX_UINT32 = 0xffff_ffff
const MAX_UINT64 = 0xffff_ffff_ffff_ffffn

/** AWS NLB and PrivateLink. */
export interface AwsInfo {
  /** For example `vpce-08d2bf15fac5001c9`. */
  readonly vpcEndpointId: string
}

/** Azure Private Link. */
export interface AzureInfo {
  /** 0 to 2^32 - 1. */
  readonly linkId: number
}

/** Google Cloud Private Service Connect. */
export interface GcpInfo {
  /** 0 to 2^64 - 1. */
  readonly pscConnectionId: bigint
}

/** Alibaba Cloud NLB PrivateLink. */
export interface AlibabaInfo {
  readonly vpcId: string | undefined
  readonly endpointId: string | undefined
  readonly endpointServiceId: string | undefined
}

export function readAws(value: Uint8Array): AwsInfo | undefined {
  const id = value[0] === AWS_VPCE_ID ? asciiText(value.subarray(1)) : undefined
  return id !== undefined && /^[A-Za-z0-9-]+$/.test(id) ? { vpcEndpointId: id } : undefined
}

export function readAzure(value: Uint8Array): AzureInfo | undefined {
  if (value.length !== AZURE_BYTES || value[0] !== AZURE_LINK_ID) return undefined
  return { linkId: new DataView(value.buffer, value.byteOffset).getUint32(1, true) }
}

export function readGcp(value: Uint8Array): GcpInfo | undefined {
  if (value.length !== GCP_BYTES) return undefined
  return { pscConnectionId: new DataView(value.buffer, value.byteOffset).getBigUint64(0) }
}

export function readSpiffe(value: Uint8Array): string | undefined {
  const id = asciiText(value)
  return id !== undefined && isSpiffeId(id) ? id : undefined
}

function isSpiffeId(id: string): boolean {
  return id.length <= MAX_SPIFFE_BYTES && SPIFFE_ID.test(id)
}

export function readAlibaba(tlvs: readonly Tlv[]): AlibabaInfo | undefined {
  const vpcId = alibabaId(tlvs, ALIBABA_SUBTYPES.vpcId)
  const endpointId = alibabaId(tlvs, ALIBABA_SUBTYPES.endpointId)
  const endpointServiceId = alibabaId(tlvs, ALIBABA_SUBTYPES.endpointServiceId)
  const found = vpcId ?? endpointId ?? endpointServiceId
  return found === undefined ? undefined : { vpcId, endpointId, endpointServiceId }
}

function alibabaId(tlvs: readonly Tlv[], subtype: number): string | undefined {
  for (const { type, value } of tlvs) {
    if (type === tlvType.alibaba && value[0] === subtype) return asciiText(value.subarray(1))
  }
  return undefined
}

export function awsTlv(vpcEndpointId: string): Tlv {
  if (!/^[A-Za-z0-9-]+$/.test(vpcEndpointId)) {
    throw new TypeError(`vpcEndpointId must be letters, digits and hyphens, got ${quote(vpcEndpointId)}`)
  }
  return { type: tlvType.aws, value: withSubtype(AWS_VPCE_ID, asciiBytes(vpcEndpointId, 'vpcEndpointId')) }
}

export function spiffeTlv(id: string): Tlv {
  if (typeof id === 'string' && isSpiffeId(id)) return { type: tlvType.spiffe, value: asciiBytes(id, 'id') }
  throw new TypeError(`id must be a SPIFFE id such as spiffe://example.org/ns/shop/sa/cart, got ${quote(id)}`)
}

export function azureTlv(linkId: number): Tlv {
  integer(linkId, [0, MAX_UINT32], 'linkId')
  const value = new Uint8Array(AZURE_BYTES)
  value[0] = AZURE_LINK_ID
  new DataView(value.buffer).setUint32(1, linkId, true)
  return { type: tlvType.azure, value }
}

export function gcpTlv(pscConnectionId: bigint): Tlv {
  if (typeof pscConnectionId !== 'bigint' || pscConnectionId < 0n || pscConnectionId > MAX_UINT64) {
    throw new RangeError(`pscConnectionId must be from 0n to 2n ** 64n - 1n, got ${quote(pscConnectionId)}`)
  }
  const value = new Uint8Array(GCP_BYTES)
  new DataView(value.buffer).setBigUint64(0, pscConnectionId)
  return { type: tlvType.gcp, value }
}

export function alibabaTlv(kind: keyof typeof ALIBABA_SUBTYPES, id: string): Tlv {
  if (!Object.hasOwn(ALIBABA_SUBTYPES, kind)) {
    throw new TypeError(`kind must be 'vpcId', 'endpointId' or 'endpointServiceId', got ${quote(kind)}`)
  }
  return { type: tlvType.alibaba, value: withSubtype(ALIBABA_SUBTYPES[kind], asciiBytes(id, kind)) }
}

function withSubtype(subtype: number, bytes: Uint8Array): Uint8Array {
  const value = new Uint8Array(1 + bytes.length)
  value[0] = subtype
  value.set(bytes, 1)
  return value
}
