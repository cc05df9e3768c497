// Takes the header off the front of a socket: pulls bytes only while it needs them, under one absolute deadline, and
// leaves the socket as it was, ready for whoever reads next.

import type { Socket } from 'node:net'
import { HeaderDecoder, ProxyProtocolError, type DecodeOptions, type ProxyHeader } from '../codec/index.ts'
import { milliseconds } from './option-checks.ts'

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
export async function readHeader(socket: Socket, options: ReadHeaderOptions = {}): Promise<ReadHeaderResult> {
  return (await readStart(socket, { ...options, optional: false })) as ReadHeaderResult // it rejects without a header
}

/** Whether the header may be missing: the first bytes are payload then, and silence until the deadline is none. */
export interface ReadStartOptions extends ReadHeaderOptions {
  readonly optional: boolean
}

/** What a connection starts with; without a header `rest` holds all that has come. */
export interface Start {
  readonly header: ProxyHeader | undefined
  readonly rest: Uint8Array
}

/** The same as `readHeader`, for connections that may come without a header. */
export function readStart(socket: Socket, options: ReadStartOptions): Promise<Start> {
  return new Promise((resolve, reject) => {
    new HeaderReader(socket, options, { resolve, reject }).start()
  })
}

interface Settle {
  resolve(start: Start): void
  reject(error: ProxyProtocolError): void
}

class HeaderReader {
  readonly #socket: Socket
  readonly #decoder: HeaderDecoder
  readonly #timeout: number
  readonly #settle: Settle
  /** All that has come, where it is payload if there is no header. */
  readonly #kept: Uint8Array[] | undefined
  #timer: NodeJS.Timeout | undefined
  #received = 0

  constructor(socket: Socket, options: ReadStartOptions, settle: Settle) {
    const { timeout = DEFAULT_HEADER_TIMEOUT, optional, ...decodeOptions } = options
    if (socket.readableEncoding !== null) {
      throw new TypeError(`socket must give bytes, but it has the encoding ${socket.readableEncoding}`)
    }
    this.#socket = socket
    this.#decoder = new HeaderDecoder(decodeOptions)
    this.#timeout = milliseconds(timeout, 'timeout')
    this.#settle = settle
    this.#kept = optional ? [] : undefined
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
      this.#kept?.push(chunk)
      const result = this.#decoder.push(chunk)
      if (result.status === 'partial') continue
      if (result.status === 'header') this.#succeed(result.header, this.#decoder.rest)
      else if (result.status === 'absent' && this.#kept) this.#succeed(undefined, Buffer.concat(this.#kept))
      else this.#fail(this.#decoder.fault())
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
    if (this.#kept?.length === 0) return this.#succeed(undefined, new Uint8Array())
    const detail = timeoutDetail(this.#timeout, this.#received)
    this.#fail(new ProxyProtocolError('header_timeout', { detail }))
  }

  #succeed(header: ProxyHeader | undefined, rest: Uint8Array): void {
    this.#stop()
    this.#settle.resolve({ header, rest })
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
