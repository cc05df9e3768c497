export { AddressError, type AddressRole } from './address-input.ts'
export type { PpMode, UdpMode } from './address-query.ts'
export {
  type Address,
  addressKey,
  type AddressOptions,
  formatAddress,
  formatEndpoint,
  parseAddress,
  endpointOptions,
  type TcpAddress,
  type UdpAddress,
  type UnixAddress,
} from './address.ts'
export { formatHostPort, isHostName } from './host-port.ts'
export { canonicalHost, leavesIPv4, overlap, overlapHint } from './listen-overlap.ts'
export { parseListen } from './port-range.ts'
export {
  filledTls,
  isProtocol,
  MAX_PROTOCOL_LENGTH,
  missingCert,
  settleTls,
  TLS_VERSIONS,
  type TlsInit,
  type TlsSettings,
  type TlsVerify,
  type TlsVersion,
} from './tls.ts'
