// A header as text in a form, lossless both ways.

import {
  encodeHeader,
  tlvType,
  type Endpoint,
  type Family,
  type HeaderInit,
  type ProxyHeader,
  type Tlv,
} from 'proxyprotocol'
import { plainHex } from '../../src/explain/index.ts'

export interface Draft {
  readonly version: 1 | 2
  readonly command: 'PROXY' | 'LOCAL'
  readonly family: Family
  readonly transport: 'STREAM' | 'DGRAM'
  readonly source: string
  readonly sourcePort: string
  readonly destination: string
  readonly destinationPort: string
  readonly tlvs: readonly TlvDraft[]
}

export interface TlvDraft {
  readonly type: number
  readonly value: string
  readonly ssl?:
    { readonly client: number; readonly verify: string; readonly tlvs: readonly TlvDraft[] } | undefined
}

const SSL_FIXED_BYTES = 5
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

const TEXT_TYPES = new Set<number>([
  tlvType.alpn,
  tlvType.authority,
  tlvType.uniqueId,
  tlvType.netns,
  tlvType.sslVersion,
  tlvType.sslCn,
  tlvType.sslCipher,
  tlvType.sslSigAlg,
  tlvType.sslKeyAlg,
  tlvType.sslGroup,
  tlvType.sslSigScheme,
])

/** From the ranges for documentation. */
export const firstEnds: Readonly<
  Record<Family, Pick<Draft, 'source' | 'sourcePort' | 'destination' | 'destinationPort'>>
> = {
  INET: { source: '192.0.2.1', sourcePort: '56324', destination: '198.51.100.7', destinationPort: '443' },
  INET6: { source: '2001:db8::1', sourcePort: '56324', destination: '2001:db8::7', destinationPort: '443' },
  UNIX: { source: '/run/client.sock', sourcePort: '', destination: '/run/app.sock', destinationPort: '' },
  UNSPEC: { source: '', sourcePort: '', destination: '', destinationPort: '' },
}

export const firstDraft: Draft = {
  version: 2,
  command: 'PROXY',
  family: 'INET',
  transport: 'STREAM',
  ...firstEnds.INET,
  tlvs: [],
}

export function draftOf(header: ProxyHeader): Draft {
  const { version, command, family, tlvs } = header
  const transport = header.transport === 'DGRAM' ? 'DGRAM' : 'STREAM'
  const common = { version, command, family, transport, tlvs: tlvs.map(tlvDraft) } as const
  if (header.family === 'UNSPEC') return { ...common, ...firstEnds.UNSPEC }
  const { source, destination }: { source: Endpoint; destination: Endpoint } = header
  const [from, to] = [endText(source), endText(destination)]
  return {
    ...common,
    source: from.name,
    sourcePort: from.port,
    destination: to.name,
    destinationPort: to.port,
  }
}

export function bytesOf(draft: Draft): Uint8Array {
  return encodeHeader(initOf(draft))
}

function initOf(draft: Draft): HeaderInit {
  const { version, command, family, transport } = draft
  const tlvs = version === 1 ? [] : draft.tlvs.map(tlvOf)
  if (command === 'LOCAL' && version === 2) return { version, command, tlvs }
  switch (family) {
    case 'UNSPEC':
      return { version, family, tlvs }
    case 'UNIX': {
      const [source, destination] = [{ path: pathOf(draft.source) }, { path: pathOf(draft.destination) }]
      return { version, family, transport, source, destination, tlvs }
    }
    case 'INET':
    case 'INET6': {
      const source = { address: draft.source.trim(), port: portOf(draft.sourcePort, 'source.port') }
      const destination = {
        address: draft.destination.trim(),
        port: portOf(draft.destinationPort, 'destination.port'),
      }
      return { version, family, transport: version === 1 ? 'STREAM' : transport, source, destination, tlvs }
    }
  }
}

function endText(end: Endpoint): { readonly name: string; readonly port: string } {
  if ('address' in end) return { name: end.address, port: String(end.port) }
  return {
    name:
      typeof end.path === 'string' ? valueText(encoder.encode(end.path), true) : valueText(end.path, false),
    port: '',
  }
}

/** Number('') is 0, and Number('0x10') is 16. */
function portOf(text: string, name: string): number {
  if (!/^\d{1,5}$/.test(text.trim()))
    throw new RangeError(`${name} must be an integer from 0 to 65535, got "${text}"`)
  return Number(text)
}

function pathOf(text: string): string | Uint8Array {
  return text.startsWith('0x') ? valueBytes(text) : text
}

export function tlvDraft({ type, value }: Tlv): TlvDraft {
  const ssl = type === tlvType.ssl ? sslDraft(value) : undefined
  return { type, value: ssl ? '' : valueText(value, TEXT_TYPES.has(type)), ssl }
}

/** A header without addresses needs its TLVs read from bytes. */
function sslDraft(value: Uint8Array): TlvDraft['ssl'] {
  const tlvs: TlvDraft[] = []
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  for (let at = SSL_FIXED_BYTES; at < value.length; at += 3 + view.getUint16(at + 1)) {
    const from = at + 3
    tlvs.push(tlvDraft({ type: view.getUint8(at), value: value.slice(from, from + view.getUint16(at + 1)) }))
  }
  return { client: view.getUint8(0), verify: String(view.getUint32(1)), tlvs }
}

function tlvOf({ type, value, ssl }: TlvDraft): Tlv {
  if (type === tlvType.checksum) return { type, value: new Uint8Array(4) } // encoding computes it
  if (ssl === undefined || type !== tlvType.ssl) return { type, value: valueBytes(value) }
  const verify = Number(ssl.verify)
  if (!/^\d+$/.test(ssl.verify) || verify > 0xffffffff) {
    throw new RangeError(`verify must be an integer from 0 to 4294967295, got "${ssl.verify}"`)
  }
  const start = [ssl.client, verify >>> 24, verify >>> 16, verify >>> 8, verify]
  const inside = ssl.tlvs
    .map(tlvOf)
    .flatMap(each => [each.type, each.value.length >> 8, each.value.length, ...each.value])
  return { type, value: Uint8Array.from([...start, ...inside]) }
}

/** Text only if it encodes to the same bytes. */
function valueText(bytes: Uint8Array, isText: boolean): string {
  if (isText) {
    try {
      const text = decoder.decode(bytes)
      if (!/^0x|[\p{C}]/u.test(text)) return text
    } catch {
      // Not UTF-8, so it stays hexadecimal.
    }
  }
  return `0x${plainHex(bytes)}`
}

function valueBytes(text: string): Uint8Array {
  if (!text.startsWith('0x')) return encoder.encode(text)
  const digits = text.slice(2).replace(/[\s:]/g, '')
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits))
    throw new TypeError(`${text} must have pairs of hexadecimal digits behind 0x`)
  return Uint8Array.from(digits.match(/../g) ?? [], pair => Number.parseInt(pair, 16))
}
