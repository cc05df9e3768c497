import type { AddressInfo } from 'node:net'
import { planeKey } from 'proxyprotocol/internal/node'
import {
  ProxyServer,
  type CloseOptions,
  type CloseResult,
  type HandOverOptions,
  type Handler,
  type ListenArguments,
  type ServerOptions,
} from 'proxyprotocol/server'
import type { HandleRelay } from './handles/index.ts'
import { testHandles } from './tunnel/index.ts'
import type { RoutedUpstreams, UpstreamPools } from './upstream-pools.ts'

interface Parts {
  readonly pools: UpstreamPools
  readonly plane: HandleRelay | undefined
}

export class RelayServer extends ProxyServer {
  readonly #pools: UpstreamPools
  readonly #plane: HandleRelay | undefined

  constructor({ pools, plane }: Parts, options: ServerOptions, handler: Handler) {
    const withPlane = { ...options, [planeKey]: plane }
    super(withPlane, handler)
    this.#pools = pools
    this.#plane = plane
  }

  upstreams(): Promise<RoutedUpstreams> {
    return this.#pools.snapshotInSlices()
  }

  inherit(other: RelayServer): void {
    this.#pools.inherit(other.#pools)
  }

  override async listen(...args: ListenArguments): Promise<AddressInfo | string> {
    if (this.#plane) await testHandles()
    const bound = await super.listen(...args)
    this.#pools.start()
    return bound
  }

  /** Remaining connections use what is known by now. Many pools take a turn of their own, in which a successor may be closed. */
  override handOver(successor: ProxyServer, options?: HandOverOptions): Promise<CloseResult> {
    const ended = super.handOver(successor, options)
    setImmediate(() => {
      this.#pools.close()
      if (successor instanceof RelayServer) successor.#pools.start()
    })
    return ended
  }

  /** Every way to end a server leads here. */
  override async close(options?: CloseOptions): Promise<CloseResult> {
    const result = await super.close(options)
    this.#pools.close()
    return result
  }
}
