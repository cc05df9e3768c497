// The shape of a vector: bytes beside what they mean, in words that every language has.

import type { Command, DecodeOptions, ErrorCode, Family, Transport, Version } from '../codec/index.ts'

/** One end of a connection; a path that is not text is given by its 108 bytes in hexadecimal. */
export type VectorEndpoint =
  | { readonly address: string; readonly port: number }
  | { readonly path: string }
  | { readonly pathHex: string }

/** A header, and what it says. */
export interface ExpectedHeader {
  readonly status: 'header'
  /** Bytes that the header takes; payload starts there. */
  readonly byteLength: number
  readonly version: Version
  readonly command: Command
  readonly family: Family
  readonly transport: Transport
  /** Absent where the header names no ends: LOCAL, UNSPEC and UNKNOWN. */
  readonly source?: VectorEndpoint
  readonly destination?: VectorEndpoint
  /** Type, and value in hexadecimal; in order, duplicates kept. */
  readonly tlvs: readonly (readonly [type: number, hex: string])[]
  /** Where there are no ends: the bytes behind the fixed part, in hexadecimal. */
  readonly block?: string
}

/** A header that has to be refused; `code` and `offset` are how this library says why. */
export interface ExpectedFault {
  readonly status: 'invalid'
  readonly code: ErrorCode
  /** Offset in bytes of what is wrong. */
  readonly offset: number
}

/** What decoding comes to: a header, a malformed one, no header at all, or too few bytes to know. */
export type Expected =
  | ExpectedHeader
  | ExpectedFault
  | { readonly status: 'absent'; readonly offset: number }
  | { readonly status: 'partial'; readonly missing: number }

/** One input, and what it means. */
export interface Vector {
  /** Unique within its file. */
  readonly name: string
  /**
   * Section of the specification that settles it, or else the rule: `strictness` where the specification leaves a
   * choice, `known bug N` where others went wrong, `golden` for bytes of real senders, `extension` for private TLVs.
   */
  readonly section: string
  /** The input, in hexadecimal. */
  readonly hex: string
  /** The input. */
  readonly bytes: Uint8Array
  /** What the receiver is told, where it is not the default. */
  readonly options?: DecodeOptions
  /** Encoding what the header says gives these bytes again. */
  readonly canonical?: boolean
  readonly expected: Expected
}

/** The vectors of one file. */
export interface VectorFile {
  /** `v1.json`, and so on. */
  readonly name: string
  readonly vectors: readonly Vector[]
}
