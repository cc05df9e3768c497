// One attempt to connect: deadline and signal hold over all stages.

import type { Socket } from 'node:net'
import { ProxyProtocolError } from '../../codec/index.ts'

/** An `AbortSignal`, or an object with this part of it. */
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
  /** What takes the time, for the error message. */
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

  /** Rejects with what `faultOf` makes of the socket's error, or with the reason of the end. */
  reach(
    socket: Socket,
    event: 'connect' | 'secureConnect',
    faultOf: (cause: NodeJS.ErrnoException) => ProxyProtocolError,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      function stop(): void {
        socket.off(event, onEvent).off('error', onError)
      }
      function onEvent(): void {
        stop()
        resolve()
      }
      function onError(cause: NodeJS.ErrnoException): void {
        fail(faultOf(cause))
      }
      function fail(error: ProxyProtocolError): void {
        stop()
        reject(error)
      }
      socket.on(event, onEvent).on('error', onError)
      this.#reject = fail
      if (this.#over) fail(this.#over)
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
