// Names in messages are labels behind their lengths, and may end in a pointer to where they go on (RFC 1035 section 4.1.4).

/** A name's labels, their lengths and its end (RFC 1035 section 2.3.4). */
const MAX_NAME_BYTES = 255
const MAX_LABEL_BYTES = 63

/** The two bits that make a length a pointer. */
const POINTER = 0xc0

/** Servers use one or two pointers in a name. A bound ends loops, and chains of pointers that go nowhere. */
const MAX_POINTERS = 16

/** A name, and where the bytes behind it start. */
interface Name {
  /** The labels in lower case, each behind its length as a character: equal for equal names only. */
  readonly name: string
  readonly end: number
}

/**
 * Reads the name at an offset; undefined where there is none that is whole and within the bounds. It copies bytes and makes one
 * string of them: a string for each label cost thirty times as much in a reply that is made of names.
 */
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
