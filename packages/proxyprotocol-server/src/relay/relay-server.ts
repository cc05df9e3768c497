// The relay's server: an ordinary one that starts what its relay does in the background when it gets to listen, however that
// comes, and ends it once it has closed or given its socket away.

import type { AddressInfo } from 'node:net'
import {
  ProxyServer,
  type CloseOptions,
  type CloseResult,
  type HandOverOptions,
  type ListenArguments,
} from 'proxyprotocol/server'
import type { UpstreamPools } from './upstream-pools.ts'

export class RelayServer extends ProxyServer {
  readonly #pools: UpstreamPools

  constructor(pools: UpstreamPools, ...args: ConstructorParameters<typeof ProxyServer>) {
    super(...args)
    this.#pools = pools
  }

  /** Begins with what the relay of another server knows of its upstreams. */
  inherit(other: RelayServer): void {
    this.#pools.inherit(other.#pools)
  }

  override async listen(...args: ListenArguments): Promise<AddressInfo | string> {
    const bound = await super.listen(...args)
    this.#pools.start()
    return bound
  }

  /** What is left here connects by what is known by now: its successor looks on. */
  override handOver(successor: ProxyServer, options?: HandOverOptions): Promise<CloseResult> {
    const ended = super.handOver(successor, options)
    this.#pools.close()
    if (successor instanceof RelayServer) successor.#pools.start()
    return ended
  }

  /** However else a server ends, it does so by this. */
  override async close(options?: CloseOptions): Promise<CloseResult> {
    const result = await super.close(options)
    this.#pools.close()
    return result
  }
}
