// Takes the header off a client's datagram. Each datagram stands alone, except with `unsafe-first`.

import { type InetEndpoint, unmapAddress } from 'proxyprotocol'
import { compileTrust, DatagramReader, type DropReason, type Framing } from 'proxyprotocol/internal/udp'
import type { Acceptance } from '../../../config/index.ts'
import { FirstHeaders, type FirstHeadersOptions } from './first-headers.ts'
import type { ClientDatagram, Read } from './reader.ts'

export interface Reader {
  readonly read: Read
  /** Takes no first header of a new peer. */
  readonly readKnown: Read
  /** Undefined unless headers are taken of first datagrams only. */
  readonly firsts: FirstHeaders | undefined
}

export interface ReaderOptions extends FirstHeadersOptions {
  readonly accepts: Acceptance | undefined
  readonly maxHeaderBytes: number
}

export function datagramReader({ accepts, maxHeaderBytes, ...options }: ReaderOptions): Reader {
  if (accepts === undefined) return { read: readNothing, readKnown: readNothing, firsts: undefined }
  const framing = accepts.version as Framing // an address of UDP has no other
  const reader = new DatagramReader({
    framing,
    isTrusted: compileTrust(accepts.trust),
    untrusted: 'drop',
    missing: 'drop',
    decode: { maxHeaderBytes, versions: framing === 'unsafe-first' ? [1, 2] : [2] },
  })
  function ofTrusted(read: Read): Read {
    return (bytes, peer) => {
      const verdict = reader.judge(peer)
      return verdict === 'read' ? read(bytes, peer) : (verdict as DropReason) // 'direct' was not asked for
    }
  }
  const readOne: Read = (bytes, peer) => readHeader(reader, bytes, peer)
  const firsts = framing === 'unsafe-first' ? new FirstHeaders(readOne, options) : undefined
  return {
    firsts,
    read: ofTrusted(firsts ? (bytes, peer) => firsts.read(bytes, peer) : readOne),
    readKnown: ofTrusted(firsts ? (bytes, peer) => firsts.readKnown(bytes, peer) : readOne),
  }
}

function readNothing(payload: Buffer, peer: InetEndpoint): ClientDatagram | DropReason {
  if (peer.port === 0) return 'source_port'
  const announced = { source: sourceOf(peer), destination: undefined, header: undefined, back: undefined }
  return { announced, payload, isHeaderOnly: false }
}

function readHeader(reader: DatagramReader, bytes: Buffer, peer: InetEndpoint): ClientDatagram | DropReason {
  const read = reader.read(bytes)
  if (typeof read === 'string') return read
  const { source = sourceOf(peer), destination, header, replyHead, payload } = read
  const back = replyHead && Uint8Array.from(replyHead) // a view would keep the whole datagram
  return { announced: { source, destination, header, back }, payload, isHeaderOnly: false }
}

function sourceOf({ address, port }: InetEndpoint): InetEndpoint {
  return { address: unmapAddress(address.replace(/%.*$/, '')), port }
}
