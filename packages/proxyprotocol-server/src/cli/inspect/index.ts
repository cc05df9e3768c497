// proxyprotocol-inspect: explains, builds and receives headers, and examines servers.

export { runInspect } from './inspect.ts'
