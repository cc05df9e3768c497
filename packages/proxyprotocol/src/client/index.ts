/**
 * Connections that start with a header.
 *
 * @module proxyprotocol/client
 */

export type { StopSignal } from './connect/index.ts'
export { HeaderAgent, type HeaderAgentOptions } from './agents/index.ts'
export { connect, type ConnectOptions, type SocketOptions } from './connect/index.ts'
export { openSocket, type OpenSocketOptions } from './connect/index.ts'
export {
  connector,
  type Connector,
  type ConnectorCallback,
  type ConnectorOptions,
  type ConnectorTarget,
} from './undici.ts'
export { diagnosticsChannels, type HeaderTarget, type LargeHeaderMessage } from './diagnostics.ts'
export { headerFor, type HeaderForOptions } from './header-for/index.ts'
export { HeaderHttpsAgent, type HeaderHttpsAgentOptions } from './agents/index.ts'
export { withHeader } from './agents/index.ts'
export type { AgentHeaderOptions, HeaderRequestOptions } from './agents/index.ts'
export type { TlsFact } from './header-for/index.ts'
export type { TlsOptions } from './connect/index.ts'
