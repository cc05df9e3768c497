// Derives everything on the page from bytes that are decoded once.

import {
  decodeHeader,
  decodeSpp,
  fieldsBefore,
  headerFields,
  sppFields,
  type DecodeResult,
  type HeaderField,
  type SppHeader,
} from 'proxyprotocol'
import { explainFault, withPeercert, type Fault } from '../../src/explain/index.ts'

export interface Entry {
  readonly field: HeaderField
  readonly depth: number
  readonly path: readonly string[]
  readonly row: number
  readonly colour: number | undefined
}

export interface Inspection {
  readonly bytes: Uint8Array
  readonly result: DecodeResult
  /** The header, if the bytes are a datagram of Simple Proxy Protocol. */
  readonly spp: SppHeader | undefined
  /** Bytes of the header; 0 if there is none. */
  readonly byteLength: number
  readonly fault: Fault | undefined
  readonly entries: readonly Entry[]
  readonly entryAt: readonly (number | undefined)[]
}

const COLOURS = 6
/** Separators would take every second colour. */
const UNCOLOURED = new Set(['separator', 'line end'])
const PARTS = new Set(['type', 'length', 'value'])

export function inspect(bytes: Uint8Array, peercert?: string): Inspection {
  const result = decodeHeader(bytes)
  const datagram = decodeSpp(bytes)
  const spp = datagram.status === 'header' ? datagram.header : undefined
  const fields = spp
    ? sppFields(spp)
    : result.status === 'header'
      ? headerFields(bytes, result)
      : fieldsBefore(bytes, result)
  const isHeader = spp !== undefined || result.status === 'header'
  const byteLength = isHeader ? fields.reduce((sum, field) => sum + field.byteLength, 0) : 0
  const entries: Entry[] = []
  let coloured = 0
  for (const field of peercert === undefined ? fields : withPeercert(fields, peercert)) {
    const colour = UNCOLOURED.has(field.name) ? undefined : coloured++ % COLOURS
    add(entries, field, { depth: 0, path: [], colour, row: entries.length })
  }
  const left = isHeader ? bytes.length - byteLength : 0
  if (left > 0)
    add(entries, payload(bytes.length - left, left), {
      depth: 0,
      path: [],
      colour: undefined,
      row: entries.length,
    })
  const fault = spp || result.status === 'header' ? undefined : explainFault(bytes, result)
  return { bytes, result, spp, byteLength, fault, entries, entryAt: innermost(entries, bytes.length) }
}

export function headerWithin(bytes: Uint8Array): number | undefined {
  const at = bytes.findIndex((_, index) => decodeHeader(bytes.subarray(index)).status === 'header')
  return at > 0 ? at : undefined
}

function add(entries: Entry[], field: HeaderField, place: Omit<Entry, 'field'>): void {
  const path = [...place.path, field.name]
  const row = place.depth > 0 && PARTS.has(field.name) ? place.row : entries.length
  entries.push({ ...place, field, path, row })
  for (const inside of field.fields) add(entries, inside, { ...place, depth: place.depth + 1, path, row })
}

function payload(offset: number, byteLength: number): HeaderField {
  return { name: 'payload', offset, byteLength, value: `${byteLength} bytes`, section: '', fields: [] }
}

function innermost(entries: readonly Entry[], length: number): readonly (number | undefined)[] {
  const at: (number | undefined)[] = Array.from({ length })
  for (const [index, { field }] of entries.entries())
    at.fill(index, field.offset, field.offset + field.byteLength)
  return at
}
