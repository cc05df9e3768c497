// What one of our servers has learnt of a connection, as plain text to compare and to show.

import type { Socket } from 'node:net'
import { readTlvs, tlvType, type Endpoint, type ProxyHeader } from 'proxyprotocol'

export interface Seen {
  readonly version: number
  readonly command: string
  readonly family: string
  readonly transport: string
  /** `ADDRESS PORT` or a path; undefined where the header gives none. */
  readonly source: string | undefined
  readonly destination: string | undefined
  /** `ADDRESS PORT` by the socket itself, which is what frameworks look at; undefined for UNIX sockets, and for the codec alone. */
  readonly remote: string | undefined
  readonly checksum: boolean
  readonly alpn: string | undefined
  readonly authority: string | undefined
  readonly uniqueId: string | undefined
  readonly ssl: SeenSsl | undefined
  /** Types and values of all TLVs, in hexadecimal. */
  readonly tlvs: readonly string[]
  /** The first payload, where the server speaks no HTTP. */
  readonly payload: string | undefined
}

export interface SeenSsl {
  readonly client: number
  readonly verified: boolean
  readonly version: string | undefined
  readonly cn: string | undefined
  readonly cipher: string | undefined
  readonly sigAlg: string | undefined
  readonly keyAlg: string | undefined
}

/** What the header says, and what the socket that it came on says by now, where anyone has told it. */
export function seenOf(
  header: ProxyHeader,
  { socket, payload }: { socket?: Socket; payload?: string },
): Seen {
  const { version, command, family, transport } = header
  const { alpn, authority, uniqueId, ssl } = readTlvs(header)
  const ends = header.command === 'LOCAL' || header.family === 'UNSPEC' ? undefined : header
  return {
    ...{ version, command, family, transport, alpn, authority, payload },
    source: ends && shown(ends.source),
    destination: ends && shown(ends.destination),
    remote: socket?.remoteAddress && `${socket.remoteAddress} ${String(socket.remotePort)}`,
    checksum: header.tlvs.some(({ type }) => type === tlvType.checksum),
    uniqueId: uniqueId && Buffer.from(uniqueId).toString('latin1'),
    ssl: ssl && {
      ...{ client: ssl.client, verified: ssl.clientVerified, version: ssl.version, cn: ssl.cn },
      ...{ cipher: ssl.cipher, sigAlg: ssl.sigAlg, keyAlg: ssl.keyAlg },
    },
    tlvs: header.tlvs.map(({ type, value }) => Buffer.from([type, ...value]).toString('hex')),
  }
}

function shown(endpoint: Endpoint): string {
  if ('address' in endpoint) return `${endpoint.address} ${endpoint.port}`
  return typeof endpoint.path === 'string' ? endpoint.path : Buffer.from(endpoint.path).toString('latin1')
}
