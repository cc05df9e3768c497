// What a check says to an upstream and hears from it, under one deadline and with a bounded memory.

import type { Socket } from 'node:net'
import { mismatch, quote } from './check-fault.ts'

/** No right answer is longer. */
const MAX_ANSWER = 16_384

/** The length of the answer at the start of these bytes; undefined if it is not complete. */
export type Measure = (received: Buffer) => number | undefined

export class Talk {
  readonly #socket: Socket
  readonly #timer: NodeJS.Timeout
  #received = Buffer.alloc(0)
  /** Why no more bytes come, in words. */
  #over: string | undefined
  #look: (() => void) | undefined

  /** @param timeout milliseconds for the whole talk. */
  constructor(socket: Socket, timeout: number) {
    this.#socket = socket
    this.#timer = setTimeout(this.#end, timeout, `no answer within ${String(timeout)} ms`).unref()
    socket
      .on('data', this.#onData)
      .on('end', () => {
        this.#end('the end of the connection')
      })
      .on('error', ({ message }) => {
        this.#end(`an error, ${message}`)
      })
      .on('close', () => {
        this.#end('a closed connection')
      })
  }

  send(bytes: Uint8Array | string): void {
    this.#socket.write(bytes, 'latin1')
  }

  /**
   * The next answer.
   *
   * @param what the answer in words, for the fault.
   * @throws CheckFault if it does not come, or is longer than 16 KiB.
   */
  read(what: string, measure: Measure): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        const length = measure(this.#received)
        if (length !== undefined) {
          this.#look = undefined
          resolve(this.#received.subarray(0, length))
          this.#received = this.#received.subarray(length)
        } else if (this.#received.length >= MAX_ANSWER) {
          reject(mismatch(what, `more than ${String(MAX_ANSWER)} bytes: ${quote(this.#received)}`))
        } else if (this.#over !== undefined) {
          const after = this.#received.length > 0 ? ` after ${quote(this.#received)}` : ''
          reject(mismatch(what, this.#over + after))
        }
      }
      this.#look()
    })
  }

  /** The next line, without its end. */
  async line(what: string): Promise<string> {
    const bytes = await this.read(what, received => {
      const end = received.indexOf('\n')
      return end === -1 ? undefined : end + 1
    })
    return bytes.toString('latin1').trimEnd()
  }

  /** Resolves when the upstream has ended, or the time is up. */
  async ended(): Promise<void> {
    this.#socket.off('data', this.#onData).resume()
    if (this.#over === undefined) await new Promise<void>(resolve => (this.#look = resolve))
  }

  /** Leaves the socket to another reader. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#socket.off('data', this.#onData)
    this.#look = undefined
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#received = Buffer.concat([this.#received, chunk])
    this.#look?.()
  }

  readonly #end = (why: string): void => {
    this.#over ??= why
    this.#look?.()
  }
}
