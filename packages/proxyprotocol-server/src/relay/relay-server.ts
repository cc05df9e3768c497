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

  inherit(other: RelayServer): void {
    this.#pools.inherit(other.#pools)
  }

  override async listen(...args: ListenArguments): Promise<AddressInfo | string> {
    const bound = await super.listen(...args)
    this.#pools.start()
    return bound
  }

  /** Remaining connections use what is known by now. */
  override handOver(successor: ProxyServer, options?: HandOverOptions): Promise<CloseResult> {
    const ended = super.handOver(successor, options)
    this.#pools.close()
    if (successor instanceof RelayServer) successor.#pools.start()
    return ended
  }

  /** Every way to end a server leads here. */
  override async close(options?: CloseOptions): Promise<CloseResult> {
    const result = await super.close(options)
    this.#pools.close()
    return result
  }
}
