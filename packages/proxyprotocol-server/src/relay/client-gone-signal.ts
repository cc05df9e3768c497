// That a client is gone, as a signal to give up connecting for it. Its connection's own signal says the same, but an
// AbortSignal costs more than connecting does, and most connections would need it for a millisecond.

import type { StopSignal } from 'proxyprotocol/client'
import type { Connection } from 'proxyprotocol/server'

/** Stops when the connection's socket is closed, as it is whenever the connection is aborted. */
export class ClientGoneSignal implements StopSignal {
  readonly #connection: Pick<Connection, 'socket' | 'signal'>

  constructor(connection: Pick<Connection, 'socket' | 'signal'>) {
    this.#connection = connection
  }

  get aborted(): boolean {
    return this.#connection.socket.destroyed
  }

  get reason(): unknown {
    return this.#connection.signal.reason as unknown
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#connection.socket.on('close', listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#connection.socket.off('close', listener)
  }
}
