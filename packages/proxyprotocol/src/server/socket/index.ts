// Accepted sockets: addresses, resets and ends.

export { acceptedSocket, isAccepted, setTaker, type StartTaker } from './accepted-socket.ts'
export { checkGivesBytes, readBuffered } from './bytes.ts'
export {
  adoptInfo,
  applyHeader,
  type Connected,
  connectionInfo,
  type ConnectionInfo,
  infoFor,
  infoOfHandle,
  isSecure,
  isUnix,
  knownInfo,
  markSecure,
  shareInfo,
  type SocketEnds,
  sourceOf,
  wrapInfo,
} from './connection-info.ts'
export { descriptorLimit } from './descriptor-limit.ts'
export { closeOrReset, limitHalfClose } from './half-close.ts'
export { claim, isClaimed, startedKey } from './registry.ts'
export { distinguishResets, endStream, isForeign, isRelease, reset } from './reset.ts'
export { clientFault } from './socket-faults.ts'
