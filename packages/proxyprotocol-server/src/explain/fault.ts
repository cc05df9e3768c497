// Explains why bytes are not a header, in the words of every view.

import { errorMessages, expectedChecksum, whatArrived, type DecodeResult } from 'proxyprotocol'
import { plainHex } from './hex.ts'

const TLV_HEAD_BYTES = 3
const CHECKSUM_BYTES = 4

export type NotDecoded = Exclude<DecodeResult, { status: 'header' }>

export interface Fault {
  readonly title: string
  readonly wanted: string
  /** In bytes; the length of the input if it ends too soon. */
  readonly offset: number
  readonly got: string | undefined
  readonly checksum: string | undefined
}

export function explainFault(bytes: Uint8Array, result: NotDecoded): Fault {
  switch (result.status) {
    case 'invalid':
      return invalidFault(bytes, result)
    case 'absent':
      return {
        title: `no header: byte ${result.offset} is the first that cannot be part of one`,
        wanted:
          'a header must start with "PROXY " (version 1) or 0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a (version 2)',
        offset: result.offset,
        got: whatArrived(bytes),
        checksum: undefined,
      }
    case 'partial':
      return {
        title: `the start of a header: it is not complete after ${bytes.length} bytes`,
        wanted: `at least ${result.missing} more ${result.missing === 1 ? 'byte' : 'bytes'} must follow`,
        offset: bytes.length,
        got: undefined,
        checksum: undefined,
      }
  }
}

function invalidFault(bytes: Uint8Array, result: Extract<DecodeResult, { status: 'invalid' }>): Fault {
  const { code, offset } = result
  const right = expectedChecksum(bytes, result)
  const valueAt = offset + TLV_HEAD_BYTES
  const checksum = right === undefined ? undefined : `0x${right.toString(16).padStart(8, '0')}`
  const said = plainHex(bytes.subarray(valueAt, valueAt + CHECKSUM_BYTES))
  return {
    title: `a malformed header: ${code} at byte ${offset}`,
    wanted:
      checksum === undefined
        ? errorMessages[code]
        : `the CRC-32C checksum must be ${checksum}, got 0x${said}`,
    offset,
    got: undefined,
    checksum,
  }
}
