// A version 1 line has no length field; reading the least that it can miss takes few reads.

const VERSION_1 = 0x50
const SPACE = 0x20
const CR = 0x0d
const DOT = 0x2e
const PROTOCOL_AT = 9
const ADDRESSES_AT = 11
const TCP4 = 0x34
const TCP6 = 0x36
const SEPARATORS_V4 = 9
const SEPARATORS_V6 = 3

const COMMAND_AT = 12
const FAMILY_AT = 13
const FIXED_BYTES = 16
const PROXY = 1
const BLOCK_BYTES = [0, 12, 36, 216]

export function leastMissing(bytes: Uint8Array, missing: number): number {
  if (missing > 1) return missing
  if (bytes[0] === VERSION_1) return leastOfLine(bytes)
  return bytes.length < FIXED_BYTES ? missing + blockBytes(bytes) : missing
}

/** A character follows each separator, and CRLF the last. */
function leastOfLine(bytes: Uint8Array): number {
  const last = bytes[bytes.length - 1]
  if (last === CR) return 1
  const protocol = bytes[PROTOCOL_AT]
  if (protocol !== TCP4 && protocol !== TCP6) return 2
  let left = protocol === TCP4 ? SEPARATORS_V4 : SEPARATORS_V6
  for (let i = ADDRESSES_AT; i < bytes.length; i++) {
    if (bytes[i] === SPACE || (protocol === TCP4 && bytes[i] === DOT)) left--
  }
  return 2 * left + (last === SPACE ? 3 : 2)
}

/** A length without room for the addresses is a fault. */
function blockBytes(bytes: Uint8Array): number {
  const command = (bytes[COMMAND_AT] as number) & 0x0f // all bytes before the length's low byte are there
  const family = bytes[FAMILY_AT] as number // likewise
  if (command !== PROXY || (family & 0x0f) === 0) return 0
  return BLOCK_BYTES[family >> 4] as number // the decoder refuses others
}
