// The stream that TLS runs over where its handshake cannot wait for the connection: everything goes to a socket of which the
// header was the first write.
//
// Node's agents count a connection when they are given its socket, so it has to be there at once. TLS cannot be put on a
// socket that still connects, as Node exchanges its handle when it tries a name's next address; on a stream it can.

import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { Duplex } from 'node:stream'

export class HeaderStream extends Duplex {
  readonly socket: Socket

  constructor(where: NetConnectOpts, head: Uint8Array) {
    super()
    this.socket = connect(where)
    this.socket.write(head)
    this.socket.on('data', chunk => {
      if (!this.push(chunk)) this.socket.pause()
    })
    this.socket.on('end', () => this.push(null))
    this.socket.on('error', error => this.destroy(error)).on('close', () => this.destroy())
  }

  override _read(): void {
    this.socket.resume()
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.socket.write(chunk, done)
  }

  override _final(done: () => void): void {
    this.socket.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.socket.destroy()
    done(error)
  }
}
