// Worker processes that share the services of proxyprotocol-server.

export { WorkerGroup } from './worker-group.ts'
