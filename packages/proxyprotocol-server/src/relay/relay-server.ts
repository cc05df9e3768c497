// The relay's server: an ordinary one that starts what its relay does in the background when it gets to listen, however that
// comes, and ends it once it has closed.

import type { AddressInfo } from 'node:net'
import {
  ProxyServer,
  type CloseOptions,
  type CloseResult,
  type HandOverOptions,
  type ListenArguments,
} from 'proxyprotocol/server'

/** What goes on in the background while a server has connections. */
export interface Background {
  start(): void
  /** May be called again. */
  close(): void
}

export class RelayServer extends ProxyServer {
  readonly #background: Background

  constructor(background: Background, ...args: ConstructorParameters<typeof ProxyServer>) {
    super(...args)
    this.#background = background
  }

  override async listen(...args: ListenArguments): Promise<AddressInfo | string> {
    const bound = await super.listen(...args)
    this.#background.start()
    return bound
  }

  override handOver(successor: ProxyServer, options?: HandOverOptions): Promise<CloseResult> {
    const ended = super.handOver(successor, options)
    if (successor instanceof RelayServer) successor.#background.start()
    return this.#whenOver(ended)
  }

  /** However else a server ends, it does so by this. */
  override close(options?: CloseOptions): Promise<CloseResult> {
    return this.#whenOver(super.close(options))
  }

  async #whenOver(ended: Promise<CloseResult>): Promise<CloseResult> {
    const result = await ended
    this.#background.close()
    return result
  }
}
