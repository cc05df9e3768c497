// Reads by the public way, for sockets that already belong to other code: it puts what follows the header back.

import { decodeHeader, HeaderDecoder, type ProxyProtocolError } from '../../codec/index.ts'
import { readBuffered } from '../socket/index.ts'
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
    for (let chunk = readBuffered(this.socket); chunk !== null; chunk = readBuffered(this.socket)) {
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
}
