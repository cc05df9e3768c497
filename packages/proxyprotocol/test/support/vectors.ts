// The vectors of test/vectors as typed data: bytes in hexadecimal beside the outcome that the specification wants.

import { readdirSync, readFileSync } from 'node:fs'
import type { Command, DecodeOptions, ErrorCode, Family, Transport, Version } from '../../src/codec/index.ts'

/** An endpoint; a path that is not text is given by its 108 bytes. */
export type VectorEndpoint =
  | { readonly address: string; readonly port: number }
  | { readonly path: string }
  | { readonly pathHex: string }

export interface ExpectedHeader {
  readonly status: 'header'
  readonly byteLength: number
  readonly version: Version
  readonly command: Command
  readonly family: Family
  readonly transport: Transport
  readonly source?: VectorEndpoint
  readonly destination?: VectorEndpoint
  /** Type, and value in hexadecimal. */
  readonly tlvs: readonly (readonly [number, string])[]
  /** Where there are no endpoints: the bytes behind the fixed part. */
  readonly block?: string
}

export interface ExpectedFault {
  readonly status: 'invalid'
  readonly code: ErrorCode
  readonly offset: number
}

export type Expected =
  | ExpectedHeader
  | ExpectedFault
  | { readonly status: 'absent'; readonly offset: number }
  | { readonly status: 'partial'; readonly missing: number }

interface VectorData {
  readonly name: string
  readonly hex: string
  /** Section of the specification, or the rule that the vector is for. */
  readonly section: string
  readonly options?: DecodeOptions
  /** The header is written as we write it: encoding what was decoded gives the same bytes. */
  readonly canonical?: boolean
  readonly expected: Expected
}

export interface Vector extends VectorData {
  readonly bytes: Uint8Array
}

export interface VectorFile {
  readonly name: string
  readonly vectors: readonly Vector[]
}

const folder = new URL('../vectors/', import.meta.url)

/** Every vector, by file. */
export const vectorFiles: readonly VectorFile[] = readdirSync(folder)
  .filter(name => name.endsWith('.json'))
  .sort()
  .map(name => ({ name, vectors: load(name) }))

function load(file: string): readonly Vector[] {
  const text = readFileSync(new URL(file, folder), 'utf8')
  const data = JSON.parse(text) as readonly VectorData[] // our own files; a wrong one fails its test
  return data.map(vector => ({ ...vector, bytes: fromHex(vector.hex) }))
}

/** Bytes that own their memory, as a file or a test would hold them. */
export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
