// The relay: an accepted socket, a header, an upstream socket, and the tunnel between the two.

export { connectionLimit, withConnectionLimits } from './connection-limit.ts'
export { listenAt } from './listen-at.ts'
export { createRelay, type Relay, type RelayOptions, type RelayRecord } from './relay.ts'
export { serverTls } from './relay-tls.ts'
export type { Traffic } from './tunnel.ts'
