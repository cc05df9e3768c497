// Reads the ClientHello at the front of a socket and puts it back, under one absolute deadline and a bound on bytes.

import type { Socket } from 'node:net'
import { ProxyProtocolError } from 'proxyprotocol'
import {
  decodeClientHello,
  HANDSHAKE_RECORD,
  MAX_CLIENT_HELLO_BYTES,
  type ClientHello,
  type ClientHelloResult,
} from './client-hello.ts'
import { SSL_REQUEST, sslRequestBytes, TLS_FOLLOWS } from './ssl-request.ts'

/** Enough to recognise an HTTP request or an SSH banner. */
const SHOWN_BYTES = 16

export interface PeekOptions {
  readonly timeout: number
  readonly signal: AbortSignal
  /** Milliseconds after which a silent client counts as one without TLS. Undefined refuses clients without TLS. */
  readonly silence?: number | undefined
}

/** What a client sends first. */
export interface Opening {
  /** Undefined if it speaks no TLS. */
  readonly hello: ClientHello | undefined
  /** PostgreSQL's request for TLS came first, and was answered. */
  readonly sslRequest: boolean
}

/** @throws ProxyProtocolError `probe` if the client ends without a byte. */
export function peekClientHello(socket: Socket, options: PeekOptions): Promise<Opening> {
  return new Promise((resolve, reject) => {
    new Peek(socket, options, { resolve, reject }).start()
  })
}

interface Settle {
  resolve(opening: Opening): void
  reject(error: unknown): void
}

class Peek {
  readonly #socket: Socket
  readonly #options: PeekOptions
  readonly #settle: Settle
  readonly #chunks: Buffer[] = []
  #received = 0
  /** So that slow bytes cost the client more than us. */
  #wanted = 1
  #timer: NodeJS.Timeout | undefined
  #silence: NodeJS.Timeout | undefined
  #sslRequest = false

  constructor(socket: Socket, options: PeekOptions, settle: Settle) {
    this.#socket = socket
    this.#options = options
    this.#settle = settle
  }

  start(): void {
    const { timeout, signal, silence } = this.#options
    if (signal.aborted) return this.#onAbort()
    if (this.#socket.readableEnded) return this.#onEnd()
    this.#timer = setTimeout(this.#onDeadline, timeout).unref()
    if (silence !== undefined) this.#silence = setTimeout(this.#onSilence, silence).unref()
    signal.addEventListener('abort', this.#onAbort)
    this.#socket.on('readable', this.#onReadable).on('end', this.#onEnd)
  }

  /** After a FIN, read() without a size would end the stream for good. */
  readonly #onReadable = (): void => {
    for (let size = this.#available(); size > 0; size = this.#available()) {
      const chunk = this.#socket.read(size) as Buffer // without an encoding read() returns bytes
      this.#chunks.push(chunk)
      this.#received += size
      if (this.#received >= this.#wanted && this.#look()) return
    }
  }

  #available(): number {
    const { readableLength, readableHighWaterMark } = this.#socket
    return Math.min(readableLength, Math.max(readableHighWaterMark, 1))
  }

  #look(): boolean {
    const bytes = this.#afterRequest(Buffer.concat(this.#chunks))
    this.#chunks.splice(0, Infinity, bytes)
    const result = this.#decode(bytes)
    if (result.status === 'partial' && bytes.length + result.missing <= MAX_CLIENT_HELLO_BYTES) {
      this.#wanted = bytes.length + result.missing
      return false
    }
    this.#stop()
    if (result.status === 'hello') this.#found(result.hello, bytes)
    else if (result.status === 'invalid' && this.#mayFallBack(bytes)) this.#found(undefined, bytes)
    else this.#refuse(result.status === 'invalid' ? result.detail : 'it is too long', bytes)
    return true
  }

  #decode(bytes: Buffer): ClientHelloResult {
    const requested = this.#sslRequest || bytes.length === 0 ? undefined : sslRequestBytes(bytes)
    if (requested === undefined) return decodeClientHello(bytes)
    return { status: 'partial', missing: SSL_REQUEST.length - requested }
  }

  /** Answers the request if these bytes start with it, and drops it. */
  #afterRequest(bytes: Buffer): Buffer {
    if (this.#sslRequest || sslRequestBytes(bytes) !== SSL_REQUEST.length) return bytes
    this.#sslRequest = true
    this.#socket.write(TLS_FOLLOWS)
    this.#received -= SSL_REQUEST.length
    return bytes.subarray(SSL_REQUEST.length)
  }

  #mayFallBack([first]: Buffer): boolean {
    return this.#options.silence !== undefined && !this.#sslRequest && first !== HANDSHAKE_RECORD
  }

  #found(hello: ClientHello | undefined, bytes: Buffer): void {
    if (bytes.length > 0) this.#socket.unshift(bytes)
    this.#settle.resolve({ hello, sslRequest: this.#sslRequest })
  }

  #refuse(detail: string, bytes: Buffer): void {
    const start = JSON.stringify(bytes.toString('latin1', 0, SHOWN_BYTES))
    const shown = `no ClientHello, as ${detail}; it starts with ${start}`
    this.#settle.reject(new ProxyProtocolError('tls_client_error', { detail: shown }))
  }

  readonly #onEnd = (): void => {
    this.#stop()
    const detail = `the client ended after ${this.#received} bytes of its ClientHello`
    this.#settle.reject(
      this.#received === 0
        ? new ProxyProtocolError('probe')
        : new ProxyProtocolError('tls_client_error', { detail }),
    )
  }

  readonly #onDeadline = (): void => {
    this.#stop()
    const detail = `${this.#received} bytes of a ClientHello had come after ${this.#options.timeout} ms`
    this.#settle.reject(new ProxyProtocolError('tls_client_error', { detail }))
  }

  readonly #onSilence = (): void => {
    const bytes = Buffer.concat(this.#chunks)
    if (!this.#mayFallBack(bytes)) return
    this.#stop()
    this.#found(undefined, bytes)
  }

  readonly #onAbort = (): void => {
    this.#stop()
    this.#settle.reject(this.#options.signal.reason)
  }

  #stop(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#silence)
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    this.#socket.off('readable', this.#onReadable).off('end', this.#onEnd)
  }
}
