// Makes the secret of session tickets anew from time to time. It stays in memory.

import { newTicketSecret } from '../../relay/index.ts'

/** A session lasts five minutes, so few clients notice. */
const INTERVAL = 12 * 60 * 60_000

export class TicketRotation {
  readonly #use: (secret: Uint8Array) => void
  #secret = newTicketSecret()
  #timer: NodeJS.Timeout

  constructor(use: (secret: Uint8Array) => void) {
    this.#use = use
    this.#timer = this.#wait()
  }

  get secret(): Uint8Array {
    return this.#secret
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #wait(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#secret = newTicketSecret()
      this.#use(this.#secret)
      this.#timer = this.#wait()
    }, INTERVAL).unref()
  }
}
