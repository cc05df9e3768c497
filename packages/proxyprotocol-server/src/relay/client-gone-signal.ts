// A connection's own AbortSignal costs more than connecting does.

import type { StopSignal } from 'proxyprotocol/client'
import type { Connection } from 'proxyprotocol/server'

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
