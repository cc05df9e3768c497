// The headers that every contender gets: five shapes, sixteen different connections each, always the same ones.

import { randomFrom } from 'test-support/random'
import { encodeHeader, parseAddress, tlv, type Tlv } from '../../packages/proxyprotocol/src/codec/index.ts'

/** What a program knows of a connection that it is to announce. */
export interface Connection {
  readonly version: 1 | 2
  readonly v6: boolean
  readonly source: string
  readonly destination: string
  readonly sourcePort: number
  readonly destinationPort: number
  /** The addresses as arrays of octets, for the peer that takes nothing else. */
  readonly sourceOctets: number[]
  readonly destinationOctets: number[]
  readonly tlvs: readonly Tlv[]
  /** Whether the header is to carry a CRC-32C. */
  readonly checksum: boolean
}

/** A connection and the header that announces it; a Buffer, as Node's sockets give them. */
export interface Sample {
  readonly connection: Connection
  readonly bytes: Buffer
}

/** Enough different addresses that neither branches nor texts can be learnt by heart. */
const SAMPLES = 16
export const SHAPES = ['v1 TCP4', 'v1 TCP6', 'v2 TCP4', 'v2 TCP6', 'v2 TCP4 + 5 TLVs, CRC-32C'] as const

/** A kind of header. */
export type Shape = (typeof SHAPES)[number]

/** Every run measures the same bytes. */
const { below: random } = randomFrom(20_260_427)

const withChecksum = { checksum: true }

/** What haproxy sends in front of a TLS connection; the checksum makes five. */
const tlvs: readonly Tlv[] = [
  tlv.alpn('h2'),
  tlv.authority('www.example.org'),
  tlv.uniqueId('7f3c09d2-1b64-4e2a'),
  tlv.ssl({ version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', clientVerified: false }),
]

const samples: ReadonlyMap<Shape, readonly Sample[]> = new Map(
  SHAPES.map(shape => [shape, Array.from({ length: SAMPLES }, () => sampleOf(shape))]),
)

/** All shapes in turn, so that every call site sees all of them. */
export const mixed: readonly Sample[] = Array.from({ length: SAMPLES }, (_, index) =>
  SHAPES.flatMap(shape => samplesOf(shape).slice(index, index + 1)),
).flat()

export function samplesOf(shape: Shape): readonly Sample[] {
  return samples.get(shape) ?? []
}

function sampleOf(shape: Shape): Sample {
  const connection = connectionOf(shape)
  return { connection, bytes: Buffer.from(encodeConnection(connection)) }
}

function connectionOf(shape: Shape): Connection {
  const v6 = shape.includes('TCP6')
  const checksum = shape.includes('CRC-32C')
  const source = flat(v6 ? longV6() : v4())
  const destination = flat(v6 ? shortV6() : v4())
  return {
    version: shape.startsWith('v1') ? 1 : 2,
    v6,
    source,
    destination,
    sourcePort: 32_768 + random(28_232),
    destinationPort: [25, 80, 443, 8443, 27_017][random(5)] ?? 0,
    sourceOctets: [...(parseAddress(source) ?? [])],
    destinationOctets: [...(parseAddress(destination) ?? [])],
    tlvs: checksum ? tlvs : [],
    checksum,
  }
}

/** The header, by our encoder. */
export function encodeConnection(connection: Connection): Uint8Array {
  const { version, source, sourcePort, destination, destinationPort, tlvs, checksum } = connection
  return encodeHeader(
    {
      version,
      source: { address: source, port: sourcePort },
      destination: { address: destination, port: destinationPort },
      tlvs,
    },
    checksum ? withChecksum : undefined,
  )
}

/** 12 to 14 characters; the average over all of IPv4 is a little above 13. */
function v4(): string {
  return `198.51.100.${String(random(256))}`
}

/** A client's address: no group left out. */
function longV6(): string {
  const groups = Array.from({ length: 6 }, () => (1 + random(0xffff)).toString(16))
  return `2001:db8:${groups.join(':')}`
}

/** A server's address, given by hand. */
function shortV6(): string {
  return `2001:db8:${(1 + random(0xffff)).toString(16)}::${(1 + random(0xff)).toString(16)}`
}

/** The text in one piece, as a socket's `remoteAddress` is; V8 keeps what was joined as pieces. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
