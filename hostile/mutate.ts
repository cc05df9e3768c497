// Makes headers that are nearly right. Bytes are changed blindly, and by the grammar of each version: words of a line,
// TLVs, lengths. Half of the version 2 results get a length that fits, or hardly any would come past the length field.

import { encodeHeader, parseHeader } from 'proxyprotocol'

import type { Random } from 'test-support/random'

type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array

/** Longer ones would only say again that there is a limit. */
const MAX_BYTES = 4096
const MOST_MUTATIONS = 3
const FIXED_BYTES = 16
const VERSION_AT = 12
const FAMILY_AT = 13
const LENGTH_AT = 14
const ODD_BYTES = [0, 1, 0x0a, 0x0d, 0x20, 0x2e, 0x30, 0x3a, 0x50, 0x7f, 0x80, 0xff]
const FAMILIES = [0x00, 0x01, 0x10, 0x11, 0x12, 0x13, 0x21, 0x22, 0x30, 0x31, 0x32, 0x41, 0xf1]
const TLV_TYPES = [0x01, 0x02, 0x03, 0x04, 0x05, 0x20, 0x21, 0x30, 0xe0, 0xea, 0xee, 0xff]
const SIZES = [0, 1, 2, 3, 4, 5, 8, 127, 128, 129, 255, 256, 257, 1024]
const WORDS =
  `PROXY TCP4 TCP6 UNKNOWN proxy UDP4 192.0.2.1 198.51.100.7 255.255.255.255 0.0.0.0 192.0.2 192.0.2.1.5 192.0.2.256 01.2.3.4
  2001:db8::1 :: ::1 ::ffff:192.0.2.1 1:2:3:4:5:6:7:8 1::2::3 fe80::1%eth0 12345::1 0 1 443 65535 65536 00 080 +1 -1 0x50
  99999999999 1e3`.split(/\s+/)

const inText: readonly Mutation[] = [
  replaceWord,
  replaceWord,
  insertWord,
  dropWord,
  changeEnd,
  separateOtherwise,
]
const inBinary: readonly Mutation[] = [
  changeFixed,
  changeFixed,
  changeLength,
  addTlv,
  addTlv,
  encodeAnew,
  stray,
]
const anywhere: readonly Mutation[] = [setByte, flipBit, insertByte, dropByte, repeat, truncate]

/** A header made from `base`, of at most 4096 bytes. */
export function mutate(base: Uint8Array, random: Random): Uint8Array {
  let bytes = base
  for (let left = 1 + random.below(MOST_MUTATIONS); left > 0; left--) {
    const fitting = isText(bytes) ? inText : bytes.length >= FIXED_BYTES ? inBinary : anywhere
    bytes = random
      .pick(random.below(3) === 0 ? anywhere : fitting)(bytes, random)
      .slice(0, MAX_BYTES)
  }
  return !isText(bytes) && bytes.length >= FIXED_BYTES && random.below(2) === 0
    ? withFittingLength(bytes)
    : bytes
}

function isText(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50
}

function wordsOf(bytes: Uint8Array): string[] {
  return Buffer.from(bytes).toString('latin1').split(' ')
}

function fromWords(words: readonly string[], separator = ' '): Uint8Array {
  return Uint8Array.from(Buffer.from(words.join(separator), 'latin1'))
}

function replaceWord(bytes: Uint8Array, random: Random): Uint8Array {
  const words = wordsOf(bytes)
  const at = random.below(words.length)
  const end = words[at]?.endsWith('\r\n') ? '\r\n' : ''
  return fromWords(words.with(at, random.pick(WORDS) + end))
}

function insertWord(bytes: Uint8Array, random: Random): Uint8Array {
  const words = wordsOf(bytes)
  return fromWords(words.toSpliced(random.below(words.length + 1), 0, random.pick(WORDS)))
}

function dropWord(bytes: Uint8Array, random: Random): Uint8Array {
  const words = wordsOf(bytes)
  return fromWords(words.toSpliced(random.below(words.length), 1))
}

function changeEnd(bytes: Uint8Array, random: Random): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1').replace(/\r\n$/, '')
  return fromWords([
    text + random.pick(['', '\n', '\r', '\r\n', ' \r\n', '\n\r\n', '\r\r\n', '\0\r\n', ' x\r\n']),
  ])
}

function separateOtherwise(bytes: Uint8Array, random: Random): Uint8Array {
  const words = wordsOf(bytes)
  const at = random.below(words.length)
  const separator = random.pick(['', '  ', '\t', '\0', ','])
  return fromWords([words.slice(0, at).join(' '), words.slice(at).join(' ')], separator)
}

function changeFixed(bytes: Uint8Array, random: Random): Uint8Array {
  return random.below(2) === 0
    ? bytes.with(VERSION_AT, random.pick([0x20, 0x21, 0x22, 0x11, 0x31, 0x2f]))
    : bytes.with(FAMILY_AT, random.pick(FAMILIES))
}

function changeLength(bytes: Uint8Array, random: Random): Uint8Array {
  const length = bytes.length - FIXED_BYTES + random.pick([-12, -3, -2, -1, 1, 2, 3, 12, 36, 216, 60_000])
  return withLength(bytes, Math.max(0, length))
}

function addTlv(bytes: Uint8Array, random: Random): Uint8Array {
  const size = random.pick(SIZES)
  const claimed = random.below(4) === 0 ? random.pick(SIZES) : size
  const tlv = [
    random.pick(TLV_TYPES),
    claimed >> 8,
    claimed & 0xff,
    ...new Uint8Array(size).fill(random.below(256)),
  ]
  const sum = bytes.length + tlv.length
  const at = random.below(4) === 0 ? FIXED_BYTES + random.below(bytes.length - FIXED_BYTES + 1) : bytes.length
  return sum > MAX_BYTES ? bytes : withFittingLength(spliced(bytes, at, { insert: tlv }))
}

/** What the header says, in a header of another sort: with a checksum, padded, or with TLVs in another order. */
function encodeAnew(bytes: Uint8Array, random: Random): Uint8Array {
  try {
    const header = parseHeader(bytes)
    const tlvs = header.tlvs.filter(({ type }) => type !== 0x03)
    const turned = random.below(2) === 0 ? tlvs : tlvs.toReversed()
    return encodeHeader({ ...header, tlvs: turned }, { checksum: random.below(2) === 0 })
  } catch {
    return bytes // no longer a header, or one that version 2 cannot say
  }
}

function stray(bytes: Uint8Array, random: Random): Uint8Array {
  const insert = new Uint8Array(1 + random.below(5)).fill(random.pick(ODD_BYTES))
  return withFittingLength(spliced(bytes, bytes.length, { insert }))
}

function setByte(bytes: Uint8Array, random: Random): Uint8Array {
  return bytes.length === 0 ? bytes : bytes.with(random.below(bytes.length), random.pick(ODD_BYTES))
}

function flipBit(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length)
  return bytes.length === 0 ? bytes : bytes.with(at, (bytes[at] ?? 0) ^ (1 << random.below(8)))
}

function insertByte(bytes: Uint8Array, random: Random): Uint8Array {
  return spliced(bytes, random.below(bytes.length + 1), { insert: [random.pick(ODD_BYTES)] })
}

function dropByte(bytes: Uint8Array, random: Random): Uint8Array {
  return spliced(bytes, random.below(bytes.length), { drop: 1 })
}

function repeat(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length)
  return spliced(bytes, at, { insert: bytes.slice(at, at + 1 + random.below(40)) })
}

function truncate(bytes: Uint8Array, random: Random): Uint8Array {
  return bytes.slice(0, random.below(bytes.length + 1))
}

function spliced(
  bytes: Uint8Array,
  at: number,
  { insert = [], drop = 0 }: { insert?: ArrayLike<number>; drop?: number },
): Uint8Array {
  return Uint8Array.from([...bytes.slice(0, at), ...Array.from(insert), ...bytes.slice(at + drop)])
}

function withFittingLength(bytes: Uint8Array): Uint8Array {
  return withLength(bytes, Math.max(0, bytes.length - FIXED_BYTES))
}

function withLength(bytes: Uint8Array, length: number): Uint8Array {
  const result = Uint8Array.from(bytes)
  if (result.length >= FIXED_BYTES) new DataView(result.buffer).setUint16(LENGTH_AT, Math.min(length, 65_535))
  return result
}
