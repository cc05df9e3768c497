// A client's side of a connection that starts with a header, cut into segments as a test wants it, for whatever protocol
// is spoken behind the header: TLS and HTTP/2 take it for a plain stream.

import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { turns } from 'test-support/sockets'

/** Where to cut the header and the first payload behind it. */
export type Cut = 'one segment' | 'header|payload' | 'byte by byte' | number

export class HeaderFirst extends Duplex {
  readonly #socket: Socket
  readonly #cut: Cut
  #header: Uint8Array | undefined

  constructor(socket: Socket, header: Uint8Array, cut: Cut) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    this.#header = header
    this.#cut = cut
    socket.on('data', chunk => this.push(chunk)).on('end', () => this.push(null))
    socket.on('close', () => this.destroy())
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    const header = this.#header
    this.#header = undefined
    void this.#send(header ? cutUp(header, chunk, this.#cut) : [chunk]).then(() => done())
  }

  /** The server may have closed the connection already, and then there is nothing left to end. */
  override _final(done: (error?: Error | null) => void): void {
    const header = this.#header
    void this.#send(header ? [header] : []).then(() => this.#socket.end(() => done()))
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }

  async #send(segments: readonly Uint8Array[]): Promise<void> {
    for (const segment of segments) {
      this.#socket.write(segment)
      if (segments.length > 1) await turns(2) // both ends share this event loop, so each segment is read by itself
    }
  }
}

function cutUp(header: Uint8Array, payload: Uint8Array, cut: Cut): readonly Uint8Array[] {
  const bytes = Buffer.concat([header, payload])
  if (cut === 'one segment') return [bytes]
  if (cut === 'byte by byte') {
    return [...Array.from(header, byte => Uint8Array.of(byte)), payload]
  }
  const at = cut === 'header|payload' ? header.length : cut
  return [bytes.subarray(0, at), bytes.subarray(at)]
}
