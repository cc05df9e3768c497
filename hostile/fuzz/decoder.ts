// Everything that must hold for any bytes whatever. What a decoder says of an input is its signature; inputs with a new
// one are kept to be mutated further. (Coverage would guide nothing: the vectors reach every branch already.)

import assert from 'node:assert/strict'
import {
  decodeDatagram,
  decodeHeader,
  decodeSpp,
  encodeHeader,
  HeaderDecoder,
  headerFields,
  parseHeader,
  readTlvs,
  whatArrived,
  type DecodeOptions,
  type DecodeResult,
} from 'proxyprotocol'

import type { Random } from 'test-support/random'

const optionSets: readonly DecodeOptions[] = [
  {},
  {},
  {},
  { versions: [1] },
  { versions: [2] },
  { maxHeaderBytes: 28 },
  { maxHeaderBytes: 65_551 },
  { mixedFamilies: 'promote' },
]
/** Signatures tell offsets only so far: each address in a TLV would be news otherwise. */
const TOLD_OFFSETS = 16
const TOLD_TLVS = 4

/**
 * Checks one input.
 *
 * @returns its signature.
 * @throws AssertionError or whatever a function threw that must not throw.
 */
export function checkDecoder(bytes: Uint8Array, random: Random): string {
  const options = random.pick(optionSets)
  const before = Uint8Array.from(bytes)
  const result = decodeHeader(bytes, options)
  assert.deepEqual(bytes, before, 'the input was changed')
  checkChunks(bytes, { options, result, random })
  whatArrived(bytes)
  decodeDatagram(bytes, options)
  decodeSpp(bytes)
  if (result.status === 'header') checkHeader(bytes, options, result)
  return signatureOf(result)
}

function checkHeader(
  bytes: Uint8Array,
  options: DecodeOptions,
  result: Extract<DecodeResult, { status: 'header' }>,
): void {
  const { header, byteLength } = result
  headerFields(bytes, result)
  assert.ok(byteLength > 0 && byteLength <= bytes.length)
  readTlvs(header)
  assert.deepEqual(parseHeader(bytes.slice(0, byteLength), options), header)
  if (header.family === 'UNSPEC') return // nothing of a block is judged that encoding would judge
  const again = encodeHeader(header)
  assert.deepEqual(parseHeader(again, { maxHeaderBytes: 65_551 }), header)
}

interface Whole {
  readonly options: DecodeOptions
  readonly result: DecodeResult
  readonly random: Random
}

/** However the input is cut, it comes to the same. */
function checkChunks(bytes: Uint8Array, { options, result, random }: Whole): void {
  const decoder = new HeaderDecoder(options)
  let fed = 0
  while (fed < bytes.length && decoder.result.status === 'partial') {
    const end = Math.min(bytes.length, fed + 1 + random.below(random.pick([2, 20, 400])))
    decoder.push(bytes.subarray(fed, end))
    fed = end
  }
  assert.deepEqual({ ...decoder.result }, { ...result }, 'the pieces came to something else')
  if (result.status === 'header') assert.deepEqual(decoder.rest, bytes.slice(result.byteLength, fed))
}

function signatureOf(result: DecodeResult): string {
  switch (result.status) {
    case 'header': {
      const { version, command, family, transport, tlvs } = result.header
      return [version, command, family, transport, Math.min(tlvs.length, TOLD_TLVS)].join(' ')
    }
    case 'partial':
      return `partial ${Math.min(result.missing, TOLD_OFFSETS)}`
    case 'absent':
      return `absent ${result.offset}`
    case 'invalid':
      return `${result.code} ${Math.min(result.offset, TOLD_OFFSETS)}`
    default:
      return result satisfies never
  }
}
