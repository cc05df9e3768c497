/**
 * The codec: pure functions from bytes to headers and back, for any JavaScript runtime.
 *
 * @module proxyprotocol
 */

export { formatAddress, parseAddress } from './address.ts'
export { expectedChecksum } from './checksum.ts'
export { decodeDatagram, encodeDatagram, type DatagramResult } from './datagram.ts'
export type { DecodeOptions } from './decode-options.ts'
export type { DecodeResult } from './decode-result.ts'
export { decodeHeader, parseHeader } from './decode.ts'
export { HeaderDecoder } from './decoder.ts'
export type { EncodeOptions } from './encode-v2.ts'
export { encodeHeader } from './encode.ts'
export {
  errorMessages,
  ProxyProtocolError,
  type ErrorCode,
  type ProxyProtocolErrorOptions,
} from './errors.ts'
export type { HeaderField } from './field-list.ts'
export { fieldsBefore } from './fields-before.ts'
export { headerFields } from './fields.ts'
export type { HeaderInit, InetInit, LocalInit, UnixInit, UnspecInit } from './header-init.ts'
export type {
  Command,
  Endpoint,
  Family,
  InetEndpoint,
  InetHeader,
  LocalHeader,
  ProxyHeader,
  Transport,
  UnixEndpoint,
  UnixHeader,
  UnspecHeader,
  Version,
} from './header.ts'
export { tlv, type TlvBuilders } from './tlv-build.ts'
export { extensionType } from './tlv-extension.ts'
export type { SslInfo, SslInit } from './tlv-ssl.ts'
export { readTlvs, type TlvValues } from './tlv-values.ts'
export type { AlibabaInfo, AwsInfo, AzureInfo, GcpInfo } from './tlv-vendor.ts'
export { tlvType, type Tlv } from './tlv.ts'
export { whatArrived } from './what-arrived.ts'
