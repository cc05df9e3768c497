// Agents for node:http and node:https whose connections start with a header.

export { HeaderAgent, type HeaderAgentOptions } from './agent.ts'
export { HeaderHttpsAgent, type HeaderHttpsAgentOptions } from './https-agent.ts'
export type { AgentHeaderOptions, HeaderRequestOptions } from './request-header.ts'
export { withHeader } from './with-header.ts'
