// proxyprotocol-server: arguments, configuration, services, signals.

export { runServer } from './server.ts'
