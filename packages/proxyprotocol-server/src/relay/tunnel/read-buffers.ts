// The memory that sockets read into. All of them share one small buffer, out of which bytes are copied at once; one that
// fills it has a lot to say, and gets a large one of its own until it has said little for a while, or is closed.

/** What small messages fit in; the copy costs less than anything else that is done with them. */
const SHARED_BYTES = 16 * 1024
/**
 * A byte costs the less the more of them a system call moves; beyond this there is little left to gain, and a connection
 * whose receiver stands still holds so much in each direction.
 */
const OWN_BYTES = 240 * 1024
/** 30 MiB; whoever finds all of them taken goes on with the shared one. */
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
