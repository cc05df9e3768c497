// A client at one peer, and the way back to it.

import type { RemoteInfo } from 'node:dgram'
import { type InetEndpoint, unmapAddress } from '../codec/index.ts'
import type { ReadDatagram } from './datagram-reader.ts'
import { Flow } from './flows/index.ts'

export type SourcedDatagram = ReadDatagram & { readonly source: InetEndpoint }

export interface Path {
  readonly address: string
  readonly port: number
  readonly head: Uint8Array | undefined
  /** Undefined for a peer that speaks for itself. */
  readonly flow: ClientFlow | undefined
}

export class ClientFlow extends Flow {
  readonly client: string
  isNewest = false
  path: Path
  readonly first: ReadDatagram

  constructor(key: string, { address, port }: RemoteInfo, first: SourcedDatagram) {
    super(key, first.source.address)
    this.client = clientKey(first.source)
    // A view would keep the whole datagram.
    const head = first.replyHead && Uint8Array.from(first.replyHead)
    this.path = { address, port, head, flow: this }
    this.first = { ...first, payload: Buffer.alloc(0), replyHead: undefined }
  }

  /** The proxy's address may differ between datagrams of one client. */
  replyWith(replyHead: Uint8Array | undefined): void {
    const { head } = this.path
    if (head && replyHead && Buffer.compare(head, replyHead) !== 0) {
      this.path = { ...this.path, head: Uint8Array.from(replyHead) }
    }
  }
}

/** A server may answer an IPv4-mapped client by its IPv4 address. */
export function clientKey({ address, port }: InetEndpoint): string {
  return `${unmapAddress(address)} ${port}`
}
