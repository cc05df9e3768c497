// Undocumented parts of Node, read in 20.20, 22.23, 24.21 and 26.10; the tests run on these lines. Each part
// names its feature test and what happens without it. `proxyprotocol/internal/node` has no semantic
// versioning.

export {
  acceptAs,
  type AcceptedHandle,
  type AcceptedSettings,
  type HandleTaker,
  listenersKey,
  type ReadSettings,
  type SocketMaker,
} from './accept.ts'
export { type AddressAnswer, answerAddresses, hasAddressGetters, ownAddresses } from './addresses.ts'
export { beneath, rawOf } from './beneath.ts'
export { bytesTaken, dropReads, hasPeer, isReading, readAgain, stopReading, unsentBytes } from './handle.ts'
export { type HandlePlane, type HandleServer, planeKey } from './handle-plane.ts'
export { Itself } from './itself.ts'
export { LiveSet, indexKey } from './live-set.ts'
export {
  canReadInto,
  canShareBuffers,
  forgetReading,
  nextBuffer,
  plainBuffer,
  readBelowMark,
  type Reader,
  readInto,
  readNextInto,
  stopReadingInto,
} from './read-into.ts'
