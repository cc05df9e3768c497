/**
 * Headers from bytes and back, on any JavaScript runtime.
 *
 * @module proxyprotocol
 */

export { formatAddress, parseAddress, unmapAddress } from './address/index.ts'
export { expectedChecksum } from './v2/index.ts'
export { decodeDatagram, encodeDatagram, type DatagramResult } from './datagram.ts'
export { type DecodeOptions, decodeOptions } from './options.ts'
export type { DecodeResult } from './decode-result.ts'
export { decodeHeader, parseHeader } from './decode.ts'
export { HeaderDecoder } from './decoder.ts'
export type { EncodeOptions } from './v2/index.ts'
export { encodeHeader } from './encode.ts'
export {
  errorMessages,
  ProxyProtocolError,
  type ErrorCode,
  type ProxyProtocolErrorOptions,
} from './errors.ts'
export type { HeaderField } from './fields/index.ts'
export { fieldsBefore } from './fields/index.ts'
export { headerFields } from './fields/index.ts'
export { sppFields } from './fields/index.ts'
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
export { decodeSpp, encodeSpp, type SppHeader, type SppResult } from './spp.ts'
export { tlv, type TlvBuilders } from './tlv/index.ts'
export { extensionType } from './tlv/index.ts'
export type { SslInfo, SslInit } from './tlv/index.ts'
export { readTlvs, type TlvValues } from './tlv/index.ts'
export type { AlibabaInfo, AwsInfo, AzureInfo, GcpInfo } from './tlv/index.ts'
export { tlvType, type Tlv } from './tlv/index.ts'
export { whatArrived } from './what-arrived.ts'
