// All sockets share one small buffer, whose bytes are copied at once. A socket that fills it gets a large buffer, until
// it is quiet or closed.

/** For small messages the copy is cheap. */
const SHARED_BYTES = 16 * 1024
/**
 * Larger reads cost less per byte, up to about this size. A connection with a slow receiver holds one in each
 * direction.
 */
const OWN_BYTES = 240 * 1024
/** 30 MiB; if all are taken, sockets stay with the shared one. */
const MAX_OWN = 128
/** 3.75 MiB. */
const MAX_SPARE = 16

export const sharedBuffer: Buffer = Buffer.allocUnsafeSlow(SHARED_BYTES)

const spare: Buffer[] = []
let taken = 0

export function takeBuffer(): Buffer | undefined {
  if (taken >= MAX_OWN) return undefined
  taken++
  return spare.pop() ?? Buffer.allocUnsafeSlow(OWN_BYTES)
}

/** @param isFree false if something still reads from it; it is left to that. */
export function giveBuffer(buffer: Buffer, isFree: boolean): void {
  taken--
  if (isFree && spare.length < MAX_SPARE) spare.push(buffer)
}
