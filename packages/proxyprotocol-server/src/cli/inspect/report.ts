// A header for people: ranges of bytes with name, value and section.

import {
  decodeHeader,
  decodeSpp,
  headerFields,
  sppFields,
  type DecodeResult,
  type HeaderField,
  type SppHeader,
} from 'proxyprotocol'
import { readExtension } from 'proxyprotocol/server'
import {
  asciiOf,
  explainFault,
  hexOf,
  hexOffset,
  type NotDecoded,
  withPeercert,
} from '../../explain/index.ts'
import { quoted } from '../../log/index.ts'

const BYTES_A_LINE = 8
const HEX_WIDTH = BYTES_A_LINE * 3
const NAME_WIDTH = 22
const SECTION_WIDTH = 6
const SHOWN_BYTES = 64
export const SPP_BYTES = 38
/** A field has the colour of its bytes, and neighbours differ. */
const COLOURS = [36, 32, 33, 35, 34]
const RED = 31
const DIM = 2

export interface Inspection {
  readonly bytes: Uint8Array
  readonly result: DecodeResult
  /** The header, if the bytes are a datagram of Simple Proxy Protocol. */
  readonly spp: SppHeader | undefined
}

export function inspect(bytes: Uint8Array): Inspection {
  const datagram = decodeSpp(bytes)
  return {
    bytes,
    result: decodeHeader(bytes),
    spp: datagram.status === 'header' ? datagram.header : undefined,
  }
}

export function fieldsOf(bytes: Uint8Array, decoded: Decoded): readonly HeaderField[] {
  const fields = headerFields(bytes, decoded)
  const peercert = readExtension(decoded.header)?.peercert
  return peercert ? withPeercert(fields, JSON.stringify(peercert)) : fields
}

export function reportText({ bytes, result, spp }: Inspection, colours: boolean): string {
  const paint = (code: number, text: string): string => (colours ? `\u001b[${code}m${text}\u001b[0m` : text)
  return linesOf({ bytes, result, spp }, paint)
    .map(line => `${line.trimEnd()}\n`)
    .join('')
}

type Paint = (code: number, text: string) => string
type Decoded = Extract<DecodeResult, { status: 'header' }>

function linesOf({ bytes, result, spp }: Inspection, paint: Paint): readonly string[] {
  if (spp)
    return headerLines(
      bytes,
      { title: `Simple Proxy Protocol, ${SPP_BYTES} bytes`, fields: sppFields(spp) },
      paint,
    )
  if (result.status !== 'header') return faultLines(bytes, result, paint)
  const { version, command } = result.header
  const title = `PROXY protocol version ${version}, ${command}, ${result.byteLength} bytes`
  return headerLines(bytes, { title, fields: fieldsOf(bytes, result) }, paint)
}

interface Explained {
  readonly title: string
  readonly fields: readonly HeaderField[]
}

function headerLines(bytes: Uint8Array, { title, fields }: Explained, paint: Paint): readonly string[] {
  const byteLength = fields.reduce((sum, field) => sum + field.byteLength, 0)
  const payload = bytes.subarray(byteLength)
  const rows = fields.flatMap((field, index) => {
    const colour = COLOURS[index % COLOURS.length] as number // the remainder is an index
    return fieldLines(bytes, field, { colour, depth: 0, paint })
  })
  return [
    title,
    '',
    ...rows,
    ...(payload.length > 0
      ? [
          '',
          `${payload.length} ${payload.length === 1 ? 'byte' : 'bytes'} of payload`,
          '',
          ...dumpLines(payload, byteLength),
        ]
      : []),
  ]
}

interface RowStyle {
  readonly colour: number
  readonly depth: number
  readonly paint: Paint
}

function fieldLines(bytes: Uint8Array, field: HeaderField, style: RowStyle): readonly string[] {
  const { name, offset, byteLength, value, section, fields } = field
  const { colour, depth, paint } = style
  const own = fields.length > 0 ? new Uint8Array() : bytes.subarray(offset, offset + byteLength)
  const [first = '', ...more] = chunksOf(own).map(hexOf)
  const label = ('  '.repeat(depth) + name).padEnd(NAME_WIDTH)
  const painted = paint(colour, `${first.padEnd(HEX_WIDTH)} ${label}`)
  return [
    `${hexOffset(offset)}  ${painted} ${paint(DIM, section.padEnd(SECTION_WIDTH))} ${printable(value)}`,
    ...more.map((line, index) => `${hexOffset(offset + (index + 1) * BYTES_A_LINE)}  ${paint(colour, line)}`),
    ...fields.flatMap(inside => fieldLines(bytes, inside, { ...style, depth: depth + 1 })),
  ]
}

function faultLines(bytes: Uint8Array, result: NotDecoded, paint: Paint): readonly string[] {
  const { title, wanted, offset, got } = explainFault(bytes, result)
  const shown = bytes.subarray(0, Math.max(SHOWN_BYTES, offset + BYTES_A_LINE))
  return [
    paint(RED, title),
    '',
    ...markFault(dumpLines(shown, 0), offset < bytes.length ? offset : -1, paint),
    ...(shown.length < bytes.length ? [`      ... ${bytes.length - shown.length} bytes more`] : []),
    ...(bytes.length > 0 ? [''] : []),
    `wanted  ${wanted}`,
    ...(got === undefined ? [] : [`got     ${got}`]),
  ]
}

function dumpLines(bytes: Uint8Array, from: number): readonly string[] {
  return chunksOf(bytes).map((chunk, index) => {
    return `${hexOffset(from + index * BYTES_A_LINE)}  ${hexOf(chunk).padEnd(HEX_WIDTH)} ${asciiOf(chunk)}`
  })
}

function markFault(lines: readonly string[], fault: number, paint: Paint): readonly string[] {
  const row = Math.floor(fault / BYTES_A_LINE)
  const mark = ' '.repeat(6 + (fault % BYTES_A_LINE) * 3) + paint(RED, '^^')
  return lines.flatMap((line, index) => (index === row ? [line, mark] : [line]))
}

function chunksOf(bytes: Uint8Array): readonly Uint8Array[] {
  const count = Math.ceil(bytes.length / BYTES_A_LINE)
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * BYTES_A_LINE, (index + 1) * BYTES_A_LINE),
  )
}

/** Text from the network must not write colours, cursor movements or lines. */
function printable(value: string): string {
  return /^[ -~]*$/.test(value) ? value : quoted(value)
}
