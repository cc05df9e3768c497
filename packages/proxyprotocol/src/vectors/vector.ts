// The shape of a vector: bytes and their meaning, in words for every language.

import type {
  Command,
  DecodeOptions,
  ErrorCode,
  Family,
  SppHeader,
  Transport,
  Version,
} from '../codec/index.ts'

/** One end of a connection; a path that is not text is 108 bytes in hexadecimal. */
export type VectorEndpoint =
  | { readonly address: string; readonly port: number }
  | { readonly path: string }
  | { readonly pathHex: string }

/** A header and its fields. */
export interface ExpectedHeader {
  readonly status: 'header'
  /** The length of the header; payload starts there. */
  readonly byteLength: number
  readonly version: Version
  readonly command: Command
  readonly family: Family
  readonly transport: Transport
  /** Absent for LOCAL, UNSPEC and UNKNOWN. */
  readonly source?: VectorEndpoint
  readonly destination?: VectorEndpoint
  /** Type, and value in hexadecimal; in order, duplicates kept. */
  readonly tlvs: readonly (readonly [type: number, hex: string])[]
  /** Without ends: the bytes behind the fixed part, in hexadecimal. */
  readonly block?: string
}

/** A header that must be refused; `code` and `offset` are this library's reason. */
export interface ExpectedFault {
  readonly status: 'invalid'
  readonly code: ErrorCode
  /** Offset of the fault in bytes. */
  readonly offset: number
}

/** The outcome of decoding: a header, a malformed one, no header, or too few bytes. */
export type Expected =
  | ExpectedHeader
  | ExpectedFault
  | { readonly status: 'absent'; readonly offset: number }
  | { readonly status: 'partial'; readonly missing: number }

/** One input and its meaning. */
export interface Vector {
  /** Unique within its file. */
  readonly name: string
  /**
   * The section of the specification, or a rule. `strictness` is our choice, `known bug N` a fault of others,
   * `golden` bytes of real senders, `extension` private TLVs.
   */
  readonly section: string
  /** The input in hexadecimal. */
  readonly hex: string
  readonly bytes: Uint8Array
  /** Options of the receiver that are not the default. */
  readonly options?: DecodeOptions
  /** True if encoding the header gives these bytes again. */
  readonly canonical?: boolean
  readonly expected: Expected
}

/** The vectors of one file. */
export interface VectorFile {
  /** `v1.json`, and so on. */
  readonly name: string
  readonly vectors: readonly Vector[]
}

/** A datagram and its meaning in Simple Proxy Protocol. */
export interface SppVector {
  /** Unique within the file. */
  readonly name: string
  /** The datagram in hexadecimal. */
  readonly hex: string
  readonly bytes: Uint8Array
  /** True if encoding the header gives these bytes again. */
  readonly canonical?: boolean
  readonly expected:
    | ({ readonly status: 'header'; /** In hexadecimal. */ readonly payload: string } & SppHeader)
    | ExpectedFault
}
