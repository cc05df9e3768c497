// proxyprotocol-inspect: header bytes explained, built, received, and a server examined.

export { runInspect } from './inspect.ts'
