// The server whose handlers are awaited.

export { type CloseReason, closeReasons } from './close-reason.ts'
export type { ServerStats } from './connection-tally.ts'
export type { Connection, ConnectionState, Handler } from './connection.ts'
export { createServer } from './create-server.ts'
export {
  acceptedChannel,
  closedChannel,
  missingChannel,
  diagnosticsChannels,
  openedChannel,
  rejectedChannel,
} from './diagnostics.ts'
export type { CloseOptions, CloseResult, HandOverOptions } from './drain.ts'
export { DEFAULT_BACKLOG, type ListenArguments } from './listener.ts'
export type {
  AcceptedMessage,
  ClosedMessage,
  MissingMessage,
  OpenedMessage,
  RejectedMessage,
  StuckMessage,
} from './messages.ts'
export { ProxyServer, type ServerState } from './proxy-server.ts'
export type { OnError } from './report.ts'
export {
  type CommonServerOptions,
  defaultTimeouts,
  type HeaderServerOptions,
  type PlainServerOptions,
  type ServerLimits,
  type ServerOptions,
  type ServerTimeouts,
} from './server-options.ts'
export { AcceptedConnection } from './accepted-connection.ts'
