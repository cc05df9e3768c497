// TLVs of version 2 headers (spec 2.2).

export { tlv, type TlvBuilders } from './build.ts'
export { EXTENSION_MAGIC, extensionType, readExtensionTlvs } from './extension.ts'
export type { SslInfo, SslInit } from './ssl.ts'
export {
  areTlvs,
  CHECKSUM_TLV_BYTES,
  NO_BYTES,
  NO_TLVS,
  sizeOfTlvs,
  splitTlvs,
  type Tlv,
  TLV_HEAD_BYTES,
  tlvEnd,
  tlvType,
  tlvValueFault,
  writeTlv,
} from './tlv.ts'
export { readTlvs, type TlvValues } from './values.ts'
export type { AlibabaInfo, AwsInfo, AzureInfo, GcpInfo } from './vendor.ts'
