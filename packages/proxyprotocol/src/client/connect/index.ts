// Connections that start with a header.

export type { StopSignal } from './attempt.ts'
export { connect, type ConnectOptions } from './connect.ts'
export { HeaderStream, startSocket } from './header-stream.ts'
export { openSocket } from './open-socket.ts'
export { type OpenSocketOptions, socketOptionNames, type SocketOptions } from './socket-options.ts'
export { type TlsOptions, tlsSettings } from './tls-settings.ts'
