// Takes the header off the front of a socket: pulls bytes only while it needs them, under one absolute deadline, and
// leaves the socket as it was, ready for whoever reads next.

import type { Socket } from 'node:net'
import { HeaderDecoder, ProxyProtocolError, type DecodeOptions, type ProxyHeader } from '../codec/index.ts'
import { milliseconds } from './milliseconds.ts'

/** Longer than one TCP retransmission needs (spec 2 asks for at least 3 s), short enough against idle floods. */
export const DEFAULT_HEADER_TIMEOUT = 5_000

export interface ReadHeaderOptions extends DecodeOptions {
  /** Milliseconds from this call to the last byte of the header, no matter how steadily bytes drip. Default 5000. */
  readonly timeout?: number | undefined
}

/** A header and what came with it. */
export interface ReadHeaderResult {
  readonly header: ProxyHeader
  /** The payload that shared the header's last chunk; the first bytes of the stream, often empty. */
  readonly rest: Uint8Array
}

/**
 * Reads the header from a socket that you hold, before anything else reads from it. Afterwards `rest` comes first, then
 * whatever the socket gives; `socket.unshift(rest)` puts the two together.
 *
 * @throws ProxyProtocolError whose code says why there is no header: `header_missing`, `header_timeout`, `probe`,
 * `client_reset`, `aborted` (the socket was destroyed on this side), or the fault in its bytes. The socket is yours to
 * destroy then. TypeError or RangeError for wrong options, and for a socket with an encoding.
 *
 * @example
 * ```ts
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
export function readHeader(socket: Socket, options: ReadHeaderOptions = {}): Promise<ReadHeaderResult> {
  return new Promise((resolve, reject) => {
    new HeaderReader(socket, options, { resolve, reject }).start()
  })
}

interface Settle {
  resolve(result: ReadHeaderResult): void
  reject(error: ProxyProtocolError): void
}

class HeaderReader {
  readonly #socket: Socket
  readonly #decoder: HeaderDecoder
  readonly #timeout: number
  readonly #settle: Settle
  #timer: NodeJS.Timeout | undefined
  #received = 0

  constructor(socket: Socket, options: ReadHeaderOptions, settle: Settle) {
    const { timeout = DEFAULT_HEADER_TIMEOUT, ...decodeOptions } = options
    if (socket.readableEncoding !== null) {
      throw new TypeError(`socket must give bytes, but it has the encoding ${socket.readableEncoding}`)
    }
    this.#socket = socket
    this.#decoder = new HeaderDecoder(decodeOptions)
    this.#timeout = milliseconds(timeout, 'timeout')
    this.#settle = settle
  }

  start(): void {
    const socket = this.#socket
    if (socket.errored) this.#onError(socket.errored)
    else if (socket.destroyed) this.#onClose()
    else if (socket.readableEnded) this.#onEnd()
    else {
      this.#timer = setTimeout(this.#onDeadline, this.#timeout).unref()
      socket.on('readable', this.#onReadable).on('end', this.#onEnd)
      socket.on('error', this.#onError).on('close', this.#onClose)
    }
  }

  /**
   * Never asks for more than there is: read() without a size ends a stream whose FIN is there already, and what comes
   * after the header could not be put back any more. Nor for more than the mark, which Node would raise.
   */
  #read(): Uint8Array | null {
    const { readableLength, readableHighWaterMark } = this.#socket
    const size = Math.min(readableLength, Math.max(readableHighWaterMark, 1))
    return this.#socket.read(size) as Uint8Array | null // without an encoding it gives bytes
  }

  readonly #onReadable = (): void => {
    for (let chunk = this.#read(); chunk !== null; chunk = this.#read()) {
      this.#received += chunk.length
      const result = this.#decoder.push(chunk)
      if (result.status === 'partial') continue
      if (result.status !== 'header') this.#fail(this.#decoder.fault())
      else {
        this.#stop()
        this.#settle.resolve({ header: result.header, rest: this.#decoder.rest })
      }
      return
    }
  }

  readonly #onEnd = (): void => {
    this.#fail(this.#received === 0 ? new ProxyProtocolError('probe') : this.#decoder.fault())
  }

  readonly #onError = (cause: Error): void => {
    this.#fail(new ProxyProtocolError(this.#received === 0 ? 'probe' : 'client_reset', { cause }))
  }

  /** Neither FIN nor error came first: it was closed on this side. */
  readonly #onClose = (): void => {
    this.#fail(new ProxyProtocolError('aborted'))
  }

  readonly #onDeadline = (): void => {
    const detail = timeoutDetail(this.#timeout, this.#received)
    this.#fail(new ProxyProtocolError('header_timeout', { detail }))
  }

  #fail(error: ProxyProtocolError): void {
    this.#stop()
    this.#settle.reject(error)
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#socket.off('readable', this.#onReadable).off('end', this.#onEnd)
    this.#socket.off('error', this.#onError).off('close', this.#onClose)
  }
}

function timeoutDetail(timeout: number, received: number): string {
  if (received > 0) return `${received} bytes had come after ${timeout} ms`
  return (
    `nothing came within ${timeout} ms; if the client waits for the server to speak first, note that ` +
    'AWS NLB sends the header only with the first payload unless it is set to on_first_ack'
  )
}
