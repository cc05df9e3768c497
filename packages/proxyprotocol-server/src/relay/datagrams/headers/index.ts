// The headers of datagrams, on their way in and out.

export { datagramReader, type Reader } from './client-datagram.ts'
export type { Announced, ClientDatagram } from './reader.ts'
export { headerBytes } from './upstream-header.ts'
