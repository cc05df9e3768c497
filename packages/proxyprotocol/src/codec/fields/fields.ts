// A header's bytes, field by field, from the result of decoding.

import { UNIX_PATH_BYTES } from '../address/index.ts'
import type { InetHeader, ProxyHeader, UnixEndpoint, UnixHeader } from '../header.ts'
import { sizeOfTlvs } from '../tlv/index.ts'
import { FieldList, type HeaderField } from './field-list.ts'
import { type ChecksumVerdict, hex, tlvFields } from './tlv-fields.ts'

const FIXED_BYTES = 16
const ADDRESS_BYTES = { INET: 4, INET6: 16 } as const
const PORT_BYTES = 2
const V1 = '2.1'
const V2 = '2.2'

/**
 * The fields that fill a header, in order and without a gap.
 *
 * @param bytes start with the header, as given to `decodeHeader`.
 * @param decoded its result.
 * @example
 * ```ts run
 * import { decodeHeader, headerFields } from 'proxyprotocol'
 *
 * const bytes = new TextEncoder().encode('PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n')
 * const decoded = decodeHeader(bytes)
 * if (decoded.status === 'header') {
 *   for (const { offset, name, value } of headerFields(bytes, decoded)) console.log(offset, name, value)
 * }
 * ```
 */
export function headerFields(
  bytes: Uint8Array,
  decoded: { readonly header: ProxyHeader; readonly byteLength: number },
): readonly HeaderField[] {
  const { header, byteLength } = decoded
  if (header.version === 2)
    return binaryFields(header, byteLength, { announced: byteLength - FIXED_BYTES, checksum: 'correct' })
  return lineFields(String.fromCharCode(...bytes.subarray(0, byteLength - 2))).add('line end', 2, 'CR LF')
    .fields
}

const LINE_NAMES = [
  'signature',
  'protocol',
  'source address',
  'destination address',
  'source port',
  'destination port',
]

/** UNKNOWN may be followed by anything. */
export function lineFields(text: string): FieldList {
  const [signature = '', protocol = '', ...rest] = text.split(' ')
  const unknown = text.startsWith('UNKNOWN', signature.length + 1)
  const words = unknown ? [signature, 'UNKNOWN'] : [signature, protocol, ...rest]
  const list = new FieldList(0, V1)
  let left = text.length
  for (const [index, word] of words.entries()) {
    if (index > 0) list.add('separator', 1, 'space')
    list.add(LINE_NAMES[index] as string, word.length, word) // as many names as words
    left -= word.length + (index > 0 ? 1 : 0)
  }
  if (left > 0) list.add('ignored', left, text.slice(-left))
  return list
}

interface Announcement {
  readonly announced: number
  readonly checksum: ChecksumVerdict
}

export function binaryFields(
  header: ProxyHeader,
  byteLength: number,
  { announced, checksum }: Announcement,
): readonly HeaderField[] {
  const { command, family, transport, tlvs } = header
  const list = new FieldList(0, V2)
    .add('signature', 12, 'version 2')
    .add('version, command', 1, `2, ${command}`)
    .add('family, transport', 1, `${family}, ${transport}`)
    .add('length', 2, `${String(announced)} bytes follow`)
  const tlvsAt = byteLength - sizeOfTlvs(tlvs)
  if (header.family === 'UNSPEC') {
    if (tlvsAt > FIXED_BYTES)
      list.add('ignored', tlvsAt - FIXED_BYTES, `${String(tlvsAt - FIXED_BYTES)} bytes`)
  } else if (header.family === 'UNIX') {
    addPaths(list, header)
  } else {
    addEndpoints(list, header)
  }
  return [...list.fields, ...tlvFields(tlvs, tlvsAt, checksum)]
}

function addEndpoints(list: FieldList, { family, source, destination }: InetHeader): void {
  const addressBytes = ADDRESS_BYTES[family]
  list
    .add('source address', addressBytes, source.address)
    .add('destination address', addressBytes, destination.address)
    .add('source port', PORT_BYTES, String(source.port))
    .add('destination port', PORT_BYTES, String(destination.port))
}

function addPaths(list: FieldList, { source, destination }: UnixHeader): void {
  list
    .add('source path', UNIX_PATH_BYTES, pathText(source))
    .add('destination path', UNIX_PATH_BYTES, pathText(destination))
}

function pathText({ path }: UnixEndpoint): string {
  return typeof path === 'string' ? path : hex(path)
}
