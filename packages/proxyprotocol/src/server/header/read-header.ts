import type { Socket } from 'node:net'
import {
  decodeHeader,
  decodeOptions,
  type DecodeOptions,
  HeaderDecoder,
  type ProxyHeader,
  type ProxyProtocolError,
} from '../../codec/index.ts'
import { milliseconds } from '../../checks/index.ts'
import { Deadlines } from './deadlines.ts'
import { StartReader, type StartRules, type StartWaiter } from './read-start.ts'

/** Longer than one TCP retransmission (spec 2 asks for at least 3 s), short enough against idle floods. */
export const DEFAULT_HEADER_TIMEOUT = 5_000

const deadlines = new Deadlines()

export interface ReadHeaderOptions extends DecodeOptions {
  /** Milliseconds from this call to the last byte of the header. Default 5000. */
  readonly timeout?: number | undefined
}

/** A header and what came with it. */
export interface ReadHeaderResult {
  readonly header: ProxyHeader
  /** The first bytes of the payload, often empty. */
  readonly rest: Uint8Array
}

/**
 * Reads the header from a socket that you hold, before other code reads from it. `socket.unshift(rest)` puts the
 * first payload back.
 *
 * @throws ProxyProtocolError `header_missing`, `header_timeout`, `probe`, `client_reset`, `aborted` (destroyed on
 * this side), or the fault in its bytes; you then destroy the socket. TypeError or RangeError for wrong options, and
 * for a socket with an encoding.
 *
 * @example
 * ```ts run
 * import { createServer } from 'node:net'
 * import { readHeader } from 'proxyprotocol/server'
 *
 * const server = createServer(socket => {
 *   socket.on('error', () => socket.destroy())
 *   readHeader(socket, { timeout: 5_000 }).then(
 *     ({ header, rest }) => {
 *       socket.unshift(rest)
 *       socket.end(`${header.command}\n`)
 *     },
 *     () => socket.destroy(),
 *   )
 * })
 * server.close()
 * ```
 */
export async function readHeader(socket: Socket, options: ReadHeaderOptions = {}): Promise<ReadHeaderResult> {
  const { timeout = DEFAULT_HEADER_TIMEOUT, ...strictness } = options
  const decode = decodeOptions(strictness)
  const rules = { decode, timeout: milliseconds(timeout, 'timeout'), deadlines, optional: false }
  return new Promise((resolve, reject) => {
    const onStart = (header: ProxyHeader | undefined, rest: Uint8Array): void => {
      resolve({ header: header as ProxyHeader, rest }) // it is not optional
    }
    pullStart(socket, rules, { onStart, onFault: reject })
  })
}

export function pullStart(socket: Socket, rules: StartRules, waiter: StartWaiter): void {
  new PullingReader(socket, rules, waiter).start()
}

class PullingReader extends StartReader {
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
