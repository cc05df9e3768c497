// Relays the connections of a service on handles, without sockets.

export { HandleRelay } from './handle-relay.ts'
