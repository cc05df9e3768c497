/**
 * The client side: connections that start with a header.
 *
 * @module proxyprotocol/client
 */

export type { StopSignal } from './attempt.ts'
export { HeaderAgent, type HeaderAgentOptions } from './agent.ts'
export { connect, type ConnectOptions, type SocketOptions } from './connect.ts'
export {
  connector,
  type Connector,
  type ConnectorCallback,
  type ConnectorOptions,
  type ConnectorTarget,
} from './connector.ts'
export { diagnosticsChannels, type HeaderTarget, type LargeHeaderMessage } from './diagnostics.ts'
export { headerFor, type HeaderForOptions } from './header-for.ts'
export { HeaderHttpsAgent, type HeaderHttpsAgentOptions } from './https-agent.ts'
export type { AgentHeaderOptions, HeaderRequestOptions } from './request-header.ts'
export type { TlsFact } from './tls-facts.ts'
export type { TlsOptions } from './tls-settings.ts'
