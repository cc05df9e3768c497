/**
 * The server side: accept headers in front of connections, with handlers that are awaited.
 *
 * @module proxyprotocol/server
 */

export type { AdmissionLimits, AdmissionOptions, AdmissionTimeouts } from './admission/index.ts'
export { admit, type AdmittedInfo } from './attach/index.ts'
export { attach, type AttachOptions } from './attach/index.ts'
export { closeReasons, type CloseReason } from './lifecycle/index.ts'
export {
  connectionInfo,
  isSecure,
  type Connected,
  type ConnectionInfo,
  type SocketEnds,
} from './socket/index.ts'
export type { ServerStats } from './lifecycle/index.ts'
export type { Connection, ConnectionState, Handler } from './lifecycle/index.ts'
export { createServer } from './lifecycle/index.ts'
export { descriptorLimit } from './socket/index.ts'
export {
  diagnosticsChannels,
  type AcceptedMessage,
  type ClosedMessage,
  type MissingMessage,
  type OpenedMessage,
  type RejectedMessage,
  type StuckMessage,
} from './lifecycle/index.ts'
export type { CloseOptions, CloseResult, HandOverOptions } from './lifecycle/index.ts'
export { extensionTlv, readExtension, type ExtensionInfo } from './extension.ts'
export { front, type FrontServer } from './attach/index.ts'
export type { ListenArguments } from './lifecycle/index.ts'
export { ProxyServer, type ServerState } from './lifecycle/index.ts'
export { readHeader, type ReadHeaderOptions, type ReadHeaderResult } from './header/index.ts'
export type { OnError } from './lifecycle/index.ts'
export { distinguishResets, reset } from './socket/index.ts'
export { defaultTimeouts } from './lifecycle/index.ts'
export type {
  CommonServerOptions,
  HeaderServerOptions,
  PlainServerOptions,
  ServerLimits,
  ServerOptions,
  ServerTimeouts,
} from './lifecycle/index.ts'
export type { OnRejected, Secure } from './admission/index.ts'
export {
  compileNetworks,
  type NameTrust,
  type Peer,
  type Trust,
  trustNames,
  type TrustNamesOptions,
  type TrustResolver,
} from '../trust/index.ts'
export {
  allowSources,
  allowVpce,
  denyLoopback,
  requireChecksum,
  requireUnicast,
  type Validator,
} from './admission/index.ts'
export { startTls } from './attach/index.ts'
export { peekByte, type PeekOptions } from './tls/index.ts'
