// Relays plain TCP on Node's handles, without sockets.

export { HandleConnection, type HandleService } from './handle-connection.ts'
export type { TcpHandle } from './node-tcp.ts'
export type { PairTimes } from './pair.ts'
export { handlesWork, testHandles } from './self-test.ts'
