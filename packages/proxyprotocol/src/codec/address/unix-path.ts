// Names of UNIX sockets: NUL-padded, possibly without a NUL or starting with one (abstract names).

import { byteAt, copyOf } from '../bytes.ts'
import { bytesOrText, utf8Text } from '../text.ts'

/** The size of `sun_path` on Linux (spec 2.2). */
export const UNIX_PATH_BYTES = 108

/** Text if it stands for exactly these bytes, otherwise all 108. */
export function readUnixPath(bytes: Uint8Array, at: number): string | Uint8Array {
  let end = at + UNIX_PATH_BYTES
  while (end > at && byteAt(bytes, end - 1) === 0) end--
  const text = utf8Text(bytes.subarray(at, end))
  // A file's name ends at its first NUL.
  if (text === undefined || (!text.startsWith('\0') && text.includes('\0')))
    return copyOf(bytes, at, at + UNIX_PATH_BYTES)
  return text
}

export function unixPathBytes(path: string | Uint8Array, field: string): Uint8Array {
  const name = bytesOrText(path, field)
  if (name.length > UNIX_PATH_BYTES) {
    throw new RangeError(`${field} must have at most 108 bytes, got ${String(name.length)}`)
  }
  return name
}
