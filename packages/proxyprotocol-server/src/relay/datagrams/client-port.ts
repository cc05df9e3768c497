// The socket that clients send to. After a reload several relays use it, until the flows of the former ones have ended.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { type AddressInfo, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { InetEndpoint } from 'proxyprotocol'
import type { Service, UdpAddress } from '../../config/index.ts'
import { answerAtOnce } from '../upstreams/index.ts'

/** For bursts, as far as the kernel lets it. */
const RECEIVE_BUFFER = 4 * 1024 * 1024

export type Receiver = (bytes: Buffer, peer: RemoteInfo) => void

export interface PortOptions {
  readonly listen: UdpAddress
  readonly ipv6Only: boolean
  readonly onError: (error: unknown) => void
}

export class ClientPort {
  receive: Receiver = () => undefined
  readonly #socket: Socket
  #users = 1

  private constructor(socket: Socket, onError: PortOptions['onError']) {
    this.#socket = socket
    socket.on('error', onError)
    socket.on('message', (bytes, peer) => {
      this.receive(bytes, peer)
    })
  }

  /** @throws the system's error. */
  static async bind({ listen, ipv6Only, onError }: PortOptions): Promise<ClientPort> {
    const { host, port } = listen
    const bound = await boundSocket({ address: await addressOf(host), port }, ipv6Only)
    return new ClientPort(bound, onError)
  }

  get address(): AddressInfo {
    return this.#socket.address()
  }

  send(
    bytes: Uint8Array | readonly Uint8Array[],
    to: InetEndpoint,
    onSent: (error: NodeJS.ErrnoException | null) => void,
  ): void {
    this.#socket.send(bytes, to.port, to.address, onSent)
  }

  retain(): void {
    this.#users++
  }

  release(): void {
    if (--this.#users === 0) this.#socket.close()
  }
}

/** @throws the system's error if the service cannot listen there. */
export async function bindOnce({ listen, ipv6Only }: Pick<Service, 'listen' | 'ipv6Only'>): Promise<void> {
  const at = listen as UdpAddress // a service of UDP has one
  const port = await ClientPort.bind({ listen: at, ipv6Only, onError: () => undefined })
  port.release()
}

async function addressOf(host: string | undefined): Promise<string> {
  if (host === undefined) return everyAddress()
  return isIP(host) === 0 ? (await lookup(host)).address : host
}

/** A socket on `::` also takes IPv4, but needs IPv6. */
export function everyAddress(interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces()): string {
  const hasIPv6 = Object.values(interfaces).some(each => each?.some(({ family }) => family === 'IPv6'))
  return hasIPv6 ? '::' : '0.0.0.0'
}

function boundSocket({ address, port }: InetEndpoint, ipv6Only: boolean): Promise<Socket> {
  const type = address.includes(':') ? 'udp6' : 'udp4'
  const socket = createSocket({ type, ipv6Only, lookup: answerAtOnce, recvBufferSize: RECEIVE_BUFFER })
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.close()
      reject(error)
    }
    socket.once('error', fail)
    // `exclusive`: only one worker has the flows of this service.
    socket.bind({ port, address, exclusive: true }, () => {
      socket.off('error', fail)
      resolve(socket)
    })
  })
}
