// A connection's own AbortSignal costs more than connecting does.

import type { StopSignal } from 'proxyprotocol/client'
import type { Connection } from 'proxyprotocol/server'

interface Closing {
  readonly destroyed: boolean
  on(event: 'close', listener: () => void): unknown
  off(event: 'close', listener: () => void): unknown
}

export class ClientGoneSignal implements StopSignal {
  readonly #connection: Pick<Connection, 'signal'>
  readonly #closing: Closing

  /** @param closing its socket, or what closes with it. */
  constructor(connection: Pick<Connection, 'signal'>, closing: Closing) {
    this.#connection = connection
    this.#closing = closing
  }

  get aborted(): boolean {
    return this.#closing.destroyed
  }

  get reason(): unknown {
    return this.#connection.signal.reason as unknown
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#closing.on('close', listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#closing.off('close', listener)
  }
}
