// Counts sent datagrams: without a callback Node hides errors.

import type { SendCallback } from './datagram-info.ts'

/** What the system sent and refused. */
export interface SendStats {
  /** Handed to the system. */
  readonly sent: number
  readonly unsent: {
    /** Longer than the system sends (EMSGSIZE). */
    readonly oversize: number
    readonly send_error: number
  }
}

export class SendCounter {
  #sent = 0
  readonly #unsent = { oversize: 0, send_error: 0 }
  readonly #count: SendCallback = error => {
    if (error === null) this.#sent++
    else this.#unsent[(error as NodeJS.ErrnoException).code === 'EMSGSIZE' ? 'oversize' : 'send_error']++
  }

  /** Most replies share one function. */
  counting(callback: SendCallback | undefined): SendCallback {
    if (callback === undefined) return this.#count
    return (error, bytes) => {
      this.#count(error, bytes)
      callback(error, bytes)
    }
  }

  stats(): SendStats {
    return { sent: this.#sent, unsent: { ...this.#unsent } }
  }
}
