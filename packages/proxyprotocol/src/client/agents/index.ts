// Agents of node:http and node:https that send a header.

export { HeaderAgent, type HeaderAgentOptions } from './agent.ts'
export { HeaderHttpsAgent, type HeaderHttpsAgentOptions } from './https-agent.ts'
export type { AgentHeaderOptions, HeaderRequestOptions } from './request-header.ts'
export { withHeader } from './with-header.ts'
