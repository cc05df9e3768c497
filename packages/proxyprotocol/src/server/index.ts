/**
 * The server side: accept headers in front of connections, with handlers that are awaited.
 *
 * @module proxyprotocol/server
 */

export type { AdmissionLimits, AdmissionOptions, AdmissionTimeouts } from './admission-options.ts'
export { admit, type AdmittedInfo } from './admit.ts'
export { attach, type AttachOptions } from './attach.ts'
export { closeReasons, type CloseReason } from './close-reason.ts'
export {
  connectionInfo,
  isSecure,
  type Connected,
  type ConnectionInfo,
  type SocketEnds,
} from './connection-info.ts'
export type { ServerStats } from './connection-tally.ts'
export type { Connection, ConnectionState, Handler } from './connection.ts'
export { createServer } from './create-server.ts'
export { descriptorLimit } from './descriptor-limit.ts'
export {
  diagnosticsChannels,
  type AcceptedMessage,
  type ClosedMessage,
  type OpenedMessage,
  type RejectedMessage,
  type StuckMessage,
} from './diagnostics.ts'
export type { CloseOptions, CloseResult, HandOverOptions } from './drain.ts'
export { extensionTlv, readExtension, type ExtensionInfo } from './extension.ts'
export { front, type FrontServer } from './front.ts'
export type { ListenArguments } from './listener.ts'
export type { Place } from './networks.ts'
export { ProxyServer, type ServerState } from './proxy-server.ts'
export { readHeader, type ReadHeaderOptions, type ReadHeaderResult } from './read-header.ts'
export type { OnError } from './report.ts'
export { distinguishResets, reset } from './reset.ts'
export { defaultTimeouts } from './server-options.ts'
export type {
  CommonServerOptions,
  HeaderServerOptions,
  PlainServerOptions,
  ServerLimits,
  ServerOptions,
  ServerTimeouts,
} from './server-options.ts'
export type { Peer, Trust } from './trust.ts'
export { allowSources, denyLoopback, requireChecksum, requireUnicast, type Validator } from './validators.ts'
