// Connections that start with a header.

export type { StopSignal } from './attempt.ts'
export { connect, type ConnectOptions, socketOptionNames, type SocketOptions } from './connect.ts'
export { type TlsOptions, tlsSettings } from './tls-settings.ts'
