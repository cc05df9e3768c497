// Reads by the public way, for sockets that already belong to other code: it puts what follows the header back.

import { decodeHeader, HeaderDecoder, type ProxyProtocolError } from '../../codec/index.ts'
import { StartReader } from './start-reader.ts'

export class PullingReader extends StartReader {
  readonly #kept: Uint8Array[] = []
  /** Undefined while the header may come in one piece, as most do. */
  #decoder: HeaderDecoder | undefined

  protected open(): void {
    this.listen()
    this.socket.on('readable', this.#onReadable)
  }

  protected shut(): void {
    this.unlisten()
    this.socket.off('readable', this.#onReadable)
  }

  protected all(): Uint8Array {
    return Buffer.concat(this.#kept)
  }

  protected fault(): ProxyProtocolError {
    return (this.#decoder as HeaderDecoder).fault() // only a header in one piece has none
  }

  readonly #onReadable = (): void => {
    for (let chunk = this.#read(); chunk !== null; chunk = this.#read()) {
      if (this.#take(chunk)) return
    }
  }

  #take(chunk: Uint8Array): boolean {
    const { decode, optional } = this.rules
    this.received += chunk.length
    if (optional) this.#kept.push(chunk)
    if (this.#decoder === undefined) {
      const result = decodeHeader(chunk, decode)
      if (result.status === 'header') return this.judge(result, chunk.subarray(result.byteLength))
      this.#decoder = new HeaderDecoder(decode)
    }
    const result = this.#decoder.push(chunk)
    return this.judge(result, this.#decoder.rest)
  }

  /**
   * Asks only for bytes that are there: after a FIN, read() without a size ends the stream, and nothing could be put
   * back. Above the mark, Node would raise it.
   */
  #read(): Uint8Array | null {
    const { readableLength, readableHighWaterMark } = this.socket
    const size = Math.min(readableLength, Math.max(readableHighWaterMark, 1))
    return this.socket.read(size) as Uint8Array | null // without an encoding it gives bytes
  }
}
