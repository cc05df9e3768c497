// The relay's server: an ordinary one that, once it has closed, ends what its relay does in the background.

import { ProxyServer, type CloseOptions, type CloseResult } from 'proxyprotocol/server'

export class RelayServer extends ProxyServer {
  readonly #onClosed: () => void

  constructor(onClosed: () => void, ...args: ConstructorParameters<typeof ProxyServer>) {
    super(...args)
    this.#onClosed = onClosed
  }

  /** However a server ends, it does so by this. */
  override async close(options?: CloseOptions): Promise<CloseResult> {
    const result = await super.close(options)
    this.#onClosed()
    return result
  }
}
