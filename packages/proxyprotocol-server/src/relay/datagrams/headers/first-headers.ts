// `unsafe-first`: the first datagram of a peer has the header, as nginx sends it. Later payload is never parsed, and no
// peer is evicted: a client whose peer was forgotten could send a header of its own.

import type { InetEndpoint } from 'proxyprotocol'
import { type DropReason, Flow, FlowTable } from 'proxyprotocol/internal/udp'
import type { Announced, ClientDatagram, Read } from './reader.ts'

export interface FirstHeadersOptions {
  /** Peers at a time. */
  readonly limit: number
  /** Milliseconds. */
  readonly timeout: number
}

class Known extends Flow {
  readonly announced: Announced

  constructor(peer: InetEndpoint, announced: Announced) {
    super(keyOf(peer), peer.address)
    this.announced = announced
  }
}

export class FirstHeaders {
  readonly #readOne: Read
  #peers: FlowTable<Known>

  constructor(readOne: Read, { limit: flows, timeout }: FirstHeadersOptions) {
    const timeouts = { newTimeout: timeout, confirmedTimeout: timeout }
    this.#readOne = readOne
    this.#peers = new FlowTable({ flows, perSource: Infinity, ...timeouts, evicts: false }, () => undefined)
  }

  read(bytes: Buffer, peer: InetEndpoint): ClientDatagram | DropReason {
    const known = this.readKnown(bytes, peer)
    if (known !== 'header_missing') return known
    const first = this.#readOne(bytes, peer)
    if (typeof first === 'string') return first
    const { announced, payload } = first
    const isHeaderOnly = payload.length === 0
    return this.#peers.add(new Known(peer, announced)) ?? { announced, payload, isHeaderOnly }
  }

  readKnown(bytes: Buffer, peer: InetEndpoint): ClientDatagram | 'header_missing' {
    const known = this.#peers.find(keyOf(peer))
    return known ? { announced: known.announced, payload: bytes, isHeaderOnly: false } : 'header_missing'
  }

  /** The peers of a relay before this one are still in the middle of their flows. */
  inherit(former: FirstHeaders): void {
    this.close()
    this.#peers = former.#peers
  }

  close(): void {
    this.#peers.close('aborted')
  }
}

function keyOf({ address, port }: InetEndpoint): string {
  return `${address} ${port}`
}
