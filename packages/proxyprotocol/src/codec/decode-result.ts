// The outcomes of decoding: shared constants, and errors on demand, so that a flood of junk leaves no
// garbage.

import { ProxyProtocolError, type ErrorCode } from './errors.ts'
import type { ProxyHeader } from './header.ts'

/** The outcome of looking at the first bytes of a connection. */
export type DecodeResult =
  | {
      readonly status: 'header'
      readonly header: ProxyHeader
      /** Bytes that the header takes; payload starts there. */
      readonly byteLength: number
    }
  | {
      readonly status: 'partial'
      /** At least so many more bytes are needed; 1 if unknown (version 1). */
      readonly missing: number
    }
  | {
      /** No header starts like this. */
      readonly status: 'absent'
      /** Offset in bytes of the first byte that differs. */
      readonly offset: number
    }
  | {
      /** A malformed header. */
      readonly status: 'invalid'
      readonly code: ErrorCode
      /** Offset in bytes of the first wrong byte, or of the field or TLV if no single byte is wrong. */
      readonly offset: number
      /** Built at each access. */
      readonly error: ProxyProtocolError
    }

/** Every version 1 fault and the fixed part of version 2. */
const CACHED_OFFSETS = 128

const absences = Array.from({ length: 12 }, (_, offset) =>
  Object.freeze({ status: 'absent', offset } as const),
)
const faults = new Map<ErrorCode, Invalid[]>()

export function partial(missing: number): DecodeResult {
  return { status: 'partial', missing }
}

export function absent(offset: number): DecodeResult {
  return absences[offset] as DecodeResult // a signature has 12 bytes at most
}

export function invalid(code: ErrorCode, offset: number): Extract<DecodeResult, { status: 'invalid' }> {
  if (offset >= CACHED_OFFSETS) return new Invalid(code, offset)
  let cached = faults.get(code)
  if (!cached) faults.set(code, (cached = []))
  return (cached[offset] ??= new Invalid(code, offset))
}

class Invalid {
  readonly status = 'invalid'
  readonly code: ErrorCode
  readonly offset: number

  constructor(code: ErrorCode, offset: number) {
    this.code = code
    this.offset = offset
    Object.freeze(this)
  }

  get error(): ProxyProtocolError {
    return new ProxyProtocolError(this.code, { offset: this.offset })
  }
}
