// The server side: accept headers in front of connections, with handlers that are awaited.

export { attach, type AttachOptions } from './attach.ts'
export { closeReasons, type CloseReason } from './close-reason.ts'
export { connectionInfo, type Connected, type ConnectionInfo, type SocketEnds } from './connection-info.ts'
export type { Connection, ConnectionState } from './connection.ts'
export {
  createServer,
  type Handler,
  type ListenArguments,
  type ProxyServer,
  type ServerState,
  type ServerStats,
} from './create-server.ts'
export {
  diagnosticsChannels,
  type AttachRejectedMessage,
  type ClosedMessage,
  type RejectedMessage,
} from './diagnostics.ts'
export type { CloseOptions, CloseResult } from './drain.ts'
export { front, type FrontServer } from './front.ts'
export type {
  AdmissionOptions,
  HeaderServerOptions,
  PlainServerOptions,
  ServerOptions,
  ServerTimeouts,
} from './options.ts'
export { readHeader, type ReadHeaderOptions, type ReadHeaderResult } from './read-header.ts'
export type { Peer, Trust } from './trust.ts'
