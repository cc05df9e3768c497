// A server in front of another one, for runtimes where attach() does not work.

import type { AddressInfo, Server } from 'node:net'
import type { InetEndpoint, ProxyProtocolError } from '../../codec/index.ts'
import {
  type CloseOptions,
  type CloseResult,
  type HeaderServerOptions,
  type ListenArguments,
  ProxyServer,
} from '../lifecycle/index.ts'
import type { ConnectionInfo } from '../socket/index.ts'
import { FrontTarget } from './front-target.ts'
import { splice } from './splice.ts'

/**
 * Makes a server that reads the header of each connection and relays it to `target` over loopback: for Bun, where
 * `attach()` does not work. A `Server` in this process shows the client as `socket.remoteAddress`. It is closed to
 * connections past the front. If it does not listen yet, it does so on a free port of 127.0.0.1, and closes with the
 * front. For other targets, such as Bun.serve(), pass the address and ask `infoOf()`.
 *
 * @throws TypeError or RangeError naming what is wrong. The target must not listen beyond loopback, where clients
 * could go past the front, or at a UNIX socket.
 *
 * @example
 * ```ts run
 * import http from 'node:http'
 * import { front } from 'proxyprotocol/server'
 *
 * const app = http.createServer((request, response) => {
 *   response.end(`you are ${String(request.socket.remoteAddress)}\n`)
 * })
 * const server = front(app, { trust: ['127.0.0.1', '10.0.0.0/8'] })
 * await server.listen(0)
 * await server.close()
 * ```
 */
export function front(target: Server | InetEndpoint, options: HeaderServerOptions): FrontServer {
  return new FrontServer(target, options)
}

/** The server that `front` makes. */
export class FrontServer extends ProxyServer {
  readonly #target: FrontTarget

  constructor(target: Server | InetEndpoint, options: HeaderServerOptions) {
    const behind = new FrontTarget(target)
    super(options, async connection => {
      try {
        await splice(connection, await behind.connect(connection.info, connection.signal))
      } catch (error) {
        connection.abort(error as ProxyProtocolError) // of connect(): splice() never rejects
      }
    })
    this.#target = behind
  }

  /**
   * Gives the client of a connection of the target, by its peer, which `requestIP()` of `Bun.serve()` tells.
   *
   * @returns undefined for a peer that did not come through this front; do not serve it.
   */
  infoOf(peer: InetEndpoint | null): ConnectionInfo | undefined {
    return peer === null ? undefined : this.#target.infoOf(peer)
  }

  /** Listens, after the target does. */
  override async listen(...args: ListenArguments): Promise<AddressInfo | string> {
    const opened = await this.#target.open()
    try {
      return await super.listen(...args)
    } catch (error) {
      if (opened) await this.#target.close()
      throw error
    }
  }

  /** Closes this server, and then the target if listen() made it listen. */
  override async close(options: CloseOptions = {}): Promise<CloseResult> {
    const result = await super.close(options)
    await this.#target.close()
    return result
  }
}
