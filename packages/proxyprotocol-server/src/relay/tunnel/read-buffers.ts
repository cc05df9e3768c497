// A socket that fills the shared buffer gets a large one, until it is quiet or closed.

const SHARED_BYTES = 16 * 1024
/** Larger reads cost less per byte, up to about this size. */
const OWN_BYTES = 240 * 1024
/** 30 MiB. */
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

export function giveBuffer(buffer: Buffer, isFree: boolean): void {
  taken--
  if (isFree && spare.length < MAX_SPARE) spare.push(buffer)
}
