// Vectors: bytes and their meaning.

import type {
  Command,
  DecodeOptions,
  ErrorCode,
  Family,
  SppHeader,
  Transport,
  Version,
} from '../codec/index.ts'

/** One end; a path that is not text is 108 bytes in hexadecimal. */
export type VectorEndpoint =
  | { readonly address: string; readonly port: number }
  | { readonly path: string }
  | { readonly pathHex: string }

/** A header and its fields. */
export interface ExpectedHeader {
  readonly status: 'header'
  /** Payload starts there. */
  readonly byteLength: number
  readonly version: Version
  readonly command: Command
  readonly family: Family
  readonly transport: Transport
  /** Absent for LOCAL, UNSPEC and UNKNOWN. */
  readonly source?: VectorEndpoint
  readonly destination?: VectorEndpoint
  /** Value in hexadecimal; in order, duplicates kept. */
  readonly tlvs: readonly (readonly [type: number, hex: string])[]
  /** Without ends: bytes behind the fixed part, in hexadecimal. */
  readonly block?: string
}

/** A header to refuse; `code` and `offset` are this library's reason. */
export interface ExpectedFault {
  readonly status: 'invalid'
  readonly code: ErrorCode
  /** In bytes. */
  readonly offset: number
}

/** The outcome of decoding. */
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
   * Of the specification, or a rule: `strictness` is our choice, `known bug N` a fault of others, `golden`
   * bytes of real senders, `extension` private TLVs.
   */
  readonly section: string
  readonly hex: string
  readonly bytes: Uint8Array
  /** The receiver's, if not the default. */
  readonly options?: DecodeOptions
  /** Encoding the header gives these bytes. */
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
  readonly hex: string
  readonly bytes: Uint8Array
  /** Encoding the header gives these bytes. */
  readonly canonical?: boolean
  readonly expected:
    | ({ readonly status: 'header'; /** In hexadecimal. */ readonly payload: string } & SppHeader)
    | ExpectedFault
}
