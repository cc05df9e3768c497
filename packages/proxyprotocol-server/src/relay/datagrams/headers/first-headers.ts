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

/** The relays before and after a reload share it, because their peers are in the middle of their flows. */
class Peers extends FlowTable<Known> {
  users = 1
}

export class FirstHeaders {
  readonly #readOne: Read
  #peers: Peers

  constructor(readOne: Read, { limit: flows, timeout }: FirstHeadersOptions) {
    const timeouts = { newTimeout: timeout, confirmedTimeout: timeout }
    this.#readOne = readOne
    this.#peers = new Peers({ flows, perSource: Infinity, ...timeouts, evicts: false }, () => undefined)
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

  /** A reply keeps the sender's session alive, so the peer must stay known as long. */
  answered(peer: InetEndpoint): void {
    this.#peers.find(keyOf(peer))
  }

  inherit(former: FirstHeaders): void {
    const peers = former.#peers
    peers.settings = this.#peers.settings
    peers.users++
    this.close()
    this.#peers = peers
  }

  close(): void {
    if (--this.#peers.users === 0) this.#peers.close('aborted')
  }
}

function keyOf({ address, port }: InetEndpoint): string {
  return `${address} ${port}`
}
