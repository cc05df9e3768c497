// TLS over a stream: Node exchanges a connecting socket's handle for each address, so TLS cannot wrap the
// socket.

import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { reportLargeHeader } from '../diagnostics.ts'
import { abandon } from './socket-options.ts'

const ADDRESSES = [
  ...(['remoteAddress', 'remotePort', 'remoteFamily'] as const),
  ...(['localAddress', 'localPort', 'localFamily'] as const),
]

export function startSocket(where: NetConnectOpts, head: Uint8Array | undefined, isInside = false): Socket {
  if (head) reportLargeHeader(head, where)
  const socket = connect(where)
  if (head && !isInside) socket.write(head)
  return socket
}

export class HeaderStream extends Duplex {
  readonly #socket: Socket
  readonly #allowHalfOpen: boolean
  #secured = false

  constructor(socket: Socket) {
    super()
    this.#socket = socket
    this.#allowHalfOpen = socket.allowHalfOpen
    socket.allowHalfOpen = true // otherwise it closes at the peer's FIN, before a slow reader has read all
    socket.on('data', chunk => {
      if (!this.push(chunk)) socket.pause()
    })
    socket.on('end', () => this.push(null))
    socket.on('error', error => this.destroy(error)).on('close', () => this.destroy())
  }

  carry<S extends TLSSocket>(secure: S): S {
    const socket = this.#socket
    secure.allowHalfOpen = this.#allowHalfOpen
    secure.once('secureConnect', () => (this.#secured = true))
    for (const name of ADDRESSES) Object.defineProperty(secure, name, { get: () => socket[name] })
    Object.assign(secure, {
      ref: () => (socket.ref(), secure),
      unref: () => (socket.unref(), secure),
      setNoDelay: (noDelay?: boolean) => (socket.setNoDelay(noDelay), secure),
      setKeepAlive: (enable?: boolean, delay?: number) => (socket.setKeepAlive(enable, delay), secure),
    })
    return secure
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done)
  }

  override _final(done: () => void): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#secured) this.#socket.destroy()
    else abandon(this.#socket)
    done(error)
  }
}
