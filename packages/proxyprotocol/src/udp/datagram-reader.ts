// Decides about one datagram and its header.

import type { RemoteInfo } from 'node:dgram'
import {
  decodeHeader,
  type DecodeOptions,
  decodeSpp,
  type InetEndpoint,
  type ProxyHeader,
  unmapAddress,
} from '../codec/index.ts'
import type { Peer } from '../trust/index.ts'
import type { DropReason } from './flows/index.ts'

const SPP_BYTES = 38

/** How headers are framed. */
export type Framing = 'v2' | 'spp' | 'unsafe-first'

export interface ReaderSettings {
  readonly framing: Framing
  readonly isTrusted: (peer: Peer) => boolean
  readonly untrusted: 'drop' | 'direct'
  readonly missing: 'drop' | 'direct'
  readonly decode: DecodeOptions
}

export interface ReadDatagram {
  /** Undefined for LOCAL, UNSPEC, or no header. */
  readonly source: InetEndpoint | undefined
  readonly destination: InetEndpoint | undefined
  /** Undefined without a header, and for Simple Proxy Protocol. */
  readonly header: ProxyHeader | undefined
  /** A view: replies must start with it. */
  readonly replyHead: Uint8Array | undefined
  readonly payload: Buffer
}

export class DatagramReader {
  readonly #settings: ReaderSettings

  constructor(settings: ReaderSettings) {
    this.#settings = settings
  }

  /** Before a byte is read. */
  judge({ address, port }: Pick<RemoteInfo, 'address' | 'port'>): 'read' | 'direct' | DropReason {
    if (port === 0) return 'source_port'
    const { isTrusted, untrusted } = this.#settings
    if (believes(isTrusted, { address: unmapAddress(address), transport: 'udp' })) return 'read'
    return untrusted === 'direct' ? 'direct' : 'untrusted_peer'
  }

  read(bytes: Buffer): ReadDatagram | DropReason {
    const read = this.#settings.framing === 'spp' ? readSpp(bytes) : readHeader(bytes, this.#settings.decode)
    if (read === 'header_missing' && this.#settings.missing === 'direct') return withoutHeader(bytes)
    if (typeof read !== 'string' && read.source?.port === 0) return 'source_port'
    return read
  }
}

export function withoutHeader(payload: Buffer): ReadDatagram {
  return { source: undefined, destination: undefined, header: undefined, replyHead: undefined, payload }
}

/** A predicate that throws does not mean yes. */
function believes(isTrusted: (peer: Peer) => boolean, peer: Peer): boolean {
  try {
    return isTrusted(peer)
  } catch {
    return false
  }
}

function readHeader(bytes: Buffer, options: DecodeOptions): ReadDatagram | DropReason {
  const result = decodeHeader(bytes, options)
  if (result.status === 'absent' || bytes.length === 0) return 'header_missing'
  if (result.status !== 'header') return 'header_invalid'
  const { header, byteLength } = result
  if (header.family === 'UNIX') return 'header_invalid'
  const { source, destination } =
    header.family === 'UNSPEC' ? { source: undefined, destination: undefined } : header
  return { source, destination, header, replyHead: undefined, payload: bytes.subarray(byteLength) }
}

function readSpp(bytes: Buffer): ReadDatagram | DropReason {
  const result = decodeSpp(bytes)
  if (result.status === 'header') {
    const { source, destination } = result.header
    const [replyHead, payload] = [bytes.subarray(0, SPP_BYTES), bytes.subarray(SPP_BYTES)]
    return { source, destination, header: undefined, replyHead, payload }
  }
  return result.code === 'header_missing' || bytes.length === 0 ? 'header_missing' : 'header_invalid'
}
