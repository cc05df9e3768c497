// Reads names: labels, perhaps ending in a pointer (RFC 1035 section 4.1.4).

/** RFC 1035 section 2.3.4. */
const MAX_NAME_BYTES = 255
const MAX_LABEL_BYTES = 63

const POINTER = 0xc0

/** Servers use one or two; the bound ends loops. */
const MAX_POINTERS = 16

interface Name {
  /** Lower case, each label behind its length, so that equal text means equal names. */
  readonly name: string
  readonly end: number
}

/** Undefined if malformed. One string: one per label cost thirty times as much for a reply full of names. */
export function readName(message: Uint8Array, start: number): Name | undefined {
  const bytes = Buffer.alloc(MAX_NAME_BYTES)
  let used = 0
  let at = start
  let end: number | undefined
  let pointers = 0
  for (let length = message[at]; length !== undefined; length = message[at]) {
    const next = at + 1
    if (length === 0) return { name: bytes.toString('latin1', 0, used).toLowerCase(), end: end ?? next }
    if (length >= POINTER) {
      const low = message[next]
      if (low === undefined || ++pointers > MAX_POINTERS) return undefined
      end ??= next + 1
      at = ((length & ~POINTER) << 8) | low
    } else {
      if (length > MAX_LABEL_BYTES || used + length + 2 > MAX_NAME_BYTES) return undefined
      for (const last = next + length; at < last; at++) bytes[used++] = message[at] ?? 0
    }
  }
  return undefined
}
