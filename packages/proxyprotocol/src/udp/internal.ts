// For the programs only; it may change with any release.

export * from './flows/index.ts'
export { DatagramReader, type Framing, type ReadDatagram, type ReaderSettings } from './datagram-reader.ts'
export { compileTrust } from '../trust/index.ts'
