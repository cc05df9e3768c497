// Ways to upstreams: a connected socket for each flow, so that a late reply never reaches another client. For the header
// of Spectrum, which replies carry too, one socket for all flows to a member.

import type { Socket } from 'node:dgram'
import { decodeSpp, type InetEndpoint, type ProxyProtocolError } from 'proxyprotocol'
import { connectedSocket, datagramFault, type Member, onReply } from '../upstreams/index.ts'
import type { RelayedFlow, Way } from './relayed-flow.ts'
import type { Tally } from './tally.ts'

const SPP_BYTES = 38

/** @param head what each datagram starts with. @throws ProxyProtocolError */
export type OpenWay = (flow: RelayedFlow, member: Member, head: Uint8Array | undefined) => Promise<Way>

export async function ownWay(tally: Tally, ...[flow, member, head]: Parameters<OpenWay>): Promise<Way> {
  const socket = await connectedSocket(endpointOf(member), member.settings.source)
  socket.on('error', error => {
    member.missed(datagramFault(error))
    flow.end('connect_refused')
  })
  onReply(socket, payload => {
    tally.received()
    if (!flow.isAnswered) member.answered()
    flow.answer(payload)
  })
  return {
    member,
    send: (payload, onSent) => {
      socket.send(head ? [head, payload] : payload, onSent)
    },
    close: () => {
      socket.close()
    },
  }
}

export class SharedWays {
  readonly #tally: Tally
  readonly #shared = new Map<Member, SharedSocket>()
  #isOver = false

  constructor(tally: Tally) {
    this.#tally = tally
  }

  readonly open: OpenWay = async (flow, member, head) => {
    let shared = this.#shared.get(member)
    if (shared === undefined) {
      this.#sweep() // of members that have left
      shared = new SharedSocket(member, this.#tally, this.#onLeft)
      this.#shared.set(member, shared)
    }
    try {
      return await shared.join(flow, head as Uint8Array) // Spectrum's datagrams all have one
    } catch (error) {
      this.#shared.delete(member)
      throw error
    }
  }

  close(): void {
    this.#isOver = true
    this.#sweep()
  }

  readonly #onLeft = (): void => {
    if (this.#isOver) this.#sweep()
  }

  /** Closes the sockets without flows. */
  #sweep(): void {
    for (const [member, shared] of this.#shared) {
      if (shared.closeIfIdle()) this.#shared.delete(member)
    }
  }
}

class SharedSocket {
  readonly #member: Member
  readonly #tally: Tally
  readonly #flows = new Map<string, RelayedFlow>()
  readonly #opened: Promise<Socket>
  readonly #onLeft: () => void
  #socket: Socket | undefined
  /** Ways that are open, or open soon. */
  #users = 0

  constructor(member: Member, tally: Tally, onLeft: () => void) {
    this.#member = member
    this.#tally = tally
    this.#onLeft = onLeft
    this.#opened = this.#open()
  }

  async join(flow: RelayedFlow, head: Uint8Array): Promise<Way> {
    this.#users++
    const socket = await this.#opened
    const key = textOf(head)
    this.#flows.set(key, flow)
    return {
      member: this.#member,
      send: (payload, onSent) => {
        this.#flows.set(key, flow) // another proxy may announce the same client
        socket.send([head, payload], onSent)
      },
      close: () => {
        this.#users--
        if (this.#flows.get(key) === flow) this.#flows.delete(key)
        this.#onLeft()
      },
    }
  }

  closeIfIdle(): boolean {
    if (this.#users > 0 || this.#socket === undefined) return false
    this.#socket.close()
    return true
  }

  async #open(): Promise<Socket> {
    const socket = await connectedSocket(endpointOf(this.#member), this.#member.settings.source)
    this.#socket = socket
    socket.on('error', error => {
      this.#refused(datagramFault(error))
    })
    onReply(socket, bytes => {
      this.#answer(bytes)
    })
    return socket
  }

  #answer(bytes: Buffer): void {
    this.#tally.received()
    const result = decodeSpp(bytes)
    if (result.status === 'invalid') return this.#tally.dropped('reply_invalid')
    const flow = this.#flows.get(textOf(bytes))
    if (flow === undefined) return this.#tally.dropped('reply_unknown')
    if (!flow.isAnswered) this.#member.answered()
    flow.answer(result.payload)
  }

  /** One closed port is one failure, and the end of all its flows. */
  #refused(error: ProxyProtocolError): void {
    this.#member.missed(error)
    for (const flow of [...this.#flows.values()]) flow.end('connect_refused')
  }
}

function textOf(datagram: Uint8Array): string {
  return Buffer.from(datagram.buffer, datagram.byteOffset, SPP_BYTES).toString('latin1')
}

function endpointOf({ endpoint }: Member): InetEndpoint {
  return endpoint as InetEndpoint // members of UDP upstreams have one once their name is resolved
}
