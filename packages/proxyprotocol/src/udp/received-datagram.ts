// What datagramInfo() and reply() need, made on demand.

import type { Socket } from 'node:dgram'
import type { InetEndpoint } from '../codec/index.ts'
import type { Path } from './client-flow.ts'
import {
  type DatagramInfo,
  type Delivery,
  HeaderInfo,
  type Message,
  type SendCallback,
} from './datagram-info.ts'
import type { ReadDatagram } from './datagram-reader.ts'

interface Receiver {
  readonly socket: Socket
  readonly local: InetEndpoint | undefined
  reply(path: Path, message: Message, callback: SendCallback | undefined): void
}

interface Received {
  readonly path: Path
  readonly peer: InetEndpoint
  readonly read: ReadDatagram
}

export class ReceivedDatagram implements Delivery {
  readonly #receiver: Receiver
  readonly #received: Received
  #info: DatagramInfo | undefined

  constructor(receiver: Receiver, received: Received) {
    this.#receiver = receiver
    this.#received = received
  }

  get socket(): Socket {
    return this.#receiver.socket
  }

  get info(): DatagramInfo {
    if (this.#info) return this.#info
    const { peer, read } = this.#received
    const { local } = this.#receiver
    const { source = peer, destination = local, header } = read
    this.#info = new HeaderInfo({ source, destination, via: { peer, local }, header })
    return this.#info
  }

  reply(message: Message, callback: SendCallback | undefined): void {
    this.#receiver.reply(this.#received.path, message, callback)
  }
}
