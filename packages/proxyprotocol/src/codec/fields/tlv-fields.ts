// The fields of TLVs, nested ones included.

import { uint16At } from '../bytes.ts'
import { asciiText, utf8Text } from '../text.ts'
import {
  EXTENSION_MAGIC,
  extensionType,
  readExtensionTlvs,
  readTlvs,
  type Tlv,
  TLV_HEAD_BYTES,
  tlvType,
} from '../tlv/index.ts'
import { FieldList, type HeaderField } from './field-list.ts'

const SECTIONS: Readonly<Partial<Record<number, string>>> = {
  [tlvType.alpn]: '2.2.1',
  [tlvType.authority]: '2.2.2',
  [tlvType.checksum]: '2.2.3',
  [tlvType.noop]: '2.2.4',
  [tlvType.uniqueId]: '2.2.5',
  [tlvType.ssl]: '2.2.6',
  [tlvType.netns]: '2.2.7',
}
const SSL_SECTION = '2.2.6'
const NOOP_SECTION = '2.2.4'
const OTHER_SECTION = '2.2.8'

const typeNames = new Map<number, string>(Object.entries(tlvType).map(([name, type]) => [type, name]))
const extensionNames = new Map<number, string>(
  Object.entries(extensionType).map(([name, type]) => [type, name]),
)

export function hex(bytes: Uint8Array): string {
  return `0x${Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')}`
}

export type ChecksumVerdict = 'correct' | 'wrong' | 'not checked'

export function tlvFields(
  tlvs: readonly Tlv[],
  offset: number,
  checksum: ChecksumVerdict,
): readonly HeaderField[] {
  const list = new FieldList(offset, OTHER_SECTION)
  const verdict = readTlvs({ tlvs }).checksum === undefined ? 'not checked' : checksum
  for (const tlv of tlvs) list.addField(tlvField(tlv, list.offset, verdict))
  return list.fields
}

function tlvField(tlv: Tlv, offset: number, verdict: ChecksumVerdict): HeaderField {
  const { type, value } = tlv
  const section = SECTIONS[type] ?? OTHER_SECTION
  const name = typeNames.get(type) ?? rangeOf(type)
  const valueAt = offset + TLV_HEAD_BYTES
  const inside =
    type === tlvType.ssl
      ? sslFields(value, valueAt)
      : type === tlvType.noop
        ? extensionFields(value, valueAt)
        : undefined
  return field({
    name,
    section,
    tlv,
    offset,
    said: inside ? inside.said : said(tlv, verdict),
    inside: inside?.fields,
  })
}

interface FieldParts {
  readonly name: string
  readonly section: string
  readonly tlv: Tlv
  readonly offset: number
  readonly said: string
  readonly inside?: readonly HeaderField[] | undefined
}

function field({ name, section, tlv, offset, said: value, inside }: FieldParts): HeaderField {
  const { length } = tlv.value
  const list = new FieldList(offset, section)
    .add('type', 1, hex(Uint8Array.of(tlv.type)))
    .add('length', 2, `${String(length)} bytes`)
  if (inside) for (const each of inside) list.addField(each)
  else if (length > 0) list.add('value', length, value)
  return { name, offset, byteLength: TLV_HEAD_BYTES + length, value, section, fields: list.fields }
}

/** The bytes if they break the type's rules; of several checksums none can be right. */
function said(tlv: Tlv, verdict: ChecksumVerdict): string {
  const { type, value } = tlv
  const { alpn, authority, netns, spiffe, checksum, aws, azure, gcp, alibaba } = readTlvs({ tlvs: [tlv] })
  if (checksum !== undefined) return `${hex(value)}, ${verdict}`
  if (type === tlvType.noop) return `${String(value.length)} bytes of padding`
  const text =
    alpn ?? authority ?? netns ?? spiffe ?? aws?.vpcEndpointId ?? azure?.linkId ?? gcp?.pscConnectionId
  return String(text ?? alibaba?.vpcId ?? alibaba?.endpointId ?? alibaba?.endpointServiceId ?? hex(value))
}

interface Inside {
  readonly said: string
  readonly fields: readonly HeaderField[]
}

function sslFields(value: Uint8Array, offset: number): Inside | undefined {
  const { ssl } = readTlvs({ tlvs: [{ type: tlvType.ssl, value }] })
  if (!ssl) return undefined
  const { client, verify, tlvs, version, clientVerified } = ssl
  const flags = ['SSL', 'CERT_CONN', 'CERT_SESS'].filter((_, bit) => (client & (1 << bit)) !== 0)
  const list = new FieldList(offset, SSL_SECTION)
    .add('client', 1, `${hex(Uint8Array.of(client))} ${flags.join(' ')}`.trimEnd())
    .add('verify', 4, `${String(verify)}${verify === 0 ? '' : ', not verified'}`)
  for (const tlv of tlvs) {
    const name = typeNames.get(tlv.type) ?? rangeOf(tlv.type)
    const text = tlv.type === tlvType.sslClientCert ? undefined : utf8Text(tlv.value)
    list.addField(
      field({ name, section: SSL_SECTION, tlv, offset: list.offset, said: text ?? hex(tlv.value) }),
    )
  }
  const verified = clientVerified ? ', client certificate verified' : ''
  return { said: `${version ?? 'of unknown version'}${verified}`, fields: list.fields }
}

/** The Python library hides TLVs in padding. */
function extensionFields(value: Uint8Array, offset: number): Inside | undefined {
  const extension = readExtensionTlvs(value)
  if (!extension) return undefined
  const list = new FieldList(offset, NOOP_SECTION).add('magic', EXTENSION_MAGIC.length, hex(EXTENSION_MAGIC))
  for (const tlv of extension) {
    const name = extensionNames.get(tlv.type) ?? rangeOf(tlv.type)
    list.addField(field({ name, section: NOOP_SECTION, tlv, offset: list.offset, said: extensionValue(tlv) }))
  }
  return { said: 'extension of the Python library proxy-protocol', fields: list.fields }
}

/** A certificate is deflated, and the codec has no zlib. */
function extensionValue({ type, value }: Tlv): string {
  switch (type) {
    case extensionType.compression:
      return asciiText(value) ?? hex(value)
    case extensionType.secretBits:
      return value.length === 2 ? String(uint16At(value, 0)) : hex(value)
    case extensionType.dnsbl:
      return utf8Text(value) ?? hex(value)
    default:
      return hex(value)
  }
}

/** Spec 2.2.8. */
function rangeOf(type: number): string {
  const shown = hex(Uint8Array.of(type))
  if (type >= 0xf8) return `reserved ${shown}`
  if (type >= 0xf0) return `experimental ${shown}`
  return type >= 0xe0 ? `custom ${shown}` : `unassigned ${shown}`
}
