// One attempt to connect, under one deadline and signal.

import type { Socket } from 'node:net'
import { ProxyProtocolError } from '../../codec/index.ts'

/** An `AbortSignal`, or this part of it. */
export interface StopSignal {
  readonly aborted: boolean
  /** Becomes the cause of the error. */
  readonly reason: unknown
  /** Calls the listener when it aborts. */
  addEventListener(type: 'abort', listener: () => void): void
  /** Removes the listener. */
  removeEventListener(type: 'abort', listener: () => void): void
}

export interface AttemptOptions {
  readonly timeout: number
  readonly signal: StopSignal | undefined
  /** For the error message. */
  readonly stages: string
}

export class Attempt {
  readonly #timer: NodeJS.Timeout
  readonly #signal: StopSignal | undefined
  readonly #onAbort = (): void => {
    this.#giveUp(new ProxyProtocolError('aborted', { cause: this.#signal?.reason }))
  }
  #over: ProxyProtocolError | undefined
  #reject: ((error: ProxyProtocolError) => void) | undefined

  constructor({ timeout, signal, stages }: AttemptOptions) {
    this.#signal = signal
    this.#timer = setTimeout(() => {
      this.#giveUp(new ProxyProtocolError('connect_timeout', { detail: `${timeout} ms${stages}` }))
    }, timeout)
    signal?.addEventListener('abort', this.#onAbort)
  }

  reach(
    socket: Socket,
    stage: 'connect' | 'secureConnect' | Uint8Array,
    faultOf: (cause: NodeJS.ErrnoException) => ProxyProtocolError,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      function onReached(): void {
        socket.off('error', onError)
        resolve()
      }
      // It stays: on Node 26 a cut-off write fails later.
      function onError(cause: NodeJS.ErrnoException): void {
        reject(faultOf(cause))
      }
      this.#reject = reject
      if (this.#over) return reject(this.#over)
      socket.on('error', onError)
      if (typeof stage === 'string') socket.once(stage, onReached)
      else socket.write(stage, error => error ?? onReached())
    })
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  #giveUp(error: ProxyProtocolError): void {
    this.#over ??= error
    this.#reject?.(error)
  }
}
