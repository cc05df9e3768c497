// The memory that sockets read into. All share one small buffer, whose bytes are copied at once. A socket that fills it
// gets a large buffer, until it has been quiet for a while or is closed.

/** What small messages fit in; the copy costs less than anything else that is done with them. */
const SHARED_BYTES = 16 * 1024
/**
 * Larger reads cost less per byte, up to about this size. A connection whose receiver stands still holds one in each
 * direction.
 */
const OWN_BYTES = 240 * 1024
/** 30 MiB; if all are taken, sockets stay with the shared one. */
const MAX_OWN = 128
/** Kept for the next, 3.75 MiB. */
const MAX_SPARE = 16

export const sharedBuffer: Buffer = Buffer.allocUnsafeSlow(SHARED_BYTES)

const spare: Buffer[] = []
let taken = 0

/** A buffer for one socket alone; undefined where so many have one that there is none left. */
export function takeBuffer(): Buffer | undefined {
  if (taken >= MAX_OWN) return undefined
  taken++
  return spare.pop() ?? Buffer.allocUnsafeSlow(OWN_BYTES)
}

/** @param isFree whether nothing reads from it any more; if something does, it is left to that. */
export function giveBuffer(buffer: Buffer, isFree: boolean): void {
  taken--
  if (isFree && spare.length < MAX_SPARE) spare.push(buffer)
}
