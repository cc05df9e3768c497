// A server in front of another one, for runtimes where attach() does not work. It reads the header, relays to the
// target on loopback, and tells the target about the client.

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
 * Makes a server that reads the header of each connection and hands it on to `target` over loopback. It replaces
 * `attach()` for servers on Bun; elsewhere `attach()` needs no second connection.
 *
 * A `Server` (http, https, http2, net, tls) in this process shows the client as `socket.remoteAddress`, and
 * `connectionInfo()` has the rest. A connection past the front shows no address, and is closed. If the server does not
 * listen yet, it listens on a free port of 127.0.0.1, and is closed with the front. For any other target, such as
 * Bun.serve(), pass its address, and ask `infoOf()`.
 *
 * @throws TypeError or RangeError naming a wrong option. TypeError for anything but a server of Node, naming the one
 * inside it. TypeError if the target listens beyond loopback, where clients could pass the header by, or at a UNIX
 * socket, whose connections cannot be told apart.
 * @example
 * ```ts run
 * import http from 'node:http'
 * import { front } from 'proxyprotocol/server'
 *
 * const app = http.createServer((request, response) => {
 *   response.end(`you are ${String(request.socket.remoteAddress)}\n`)
 * })
 * const server = front(app, { trust: ['10.0.0.0/8'] })
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
   * The client whose connection the target sees coming from an endpoint, as `Bun.serve()` tells it by `requestIP()`.
   *
   * @returns undefined for what did not come through this front, and must not be served.
   */
  infoOf(peer: InetEndpoint | null): ConnectionInfo | undefined {
    return peer === null ? undefined : this.#target.infoOf(peer)
  }

  /** Starts listening, and first makes the target listen where it does not yet. */
  override async listen(...args: ListenArguments): Promise<AddressInfo | string> {
    const opened = await this.#target.open()
    try {
      return await super.listen(...args)
    } catch (error) {
      if (opened) await this.#target.close()
      throw error
    }
  }

  /** Closes as `createServer`'s does, and then the target where listen() has made it listen. */
  override async close(options: CloseOptions = {}): Promise<CloseResult> {
    const result = await super.close(options)
    await this.#target.close()
    return result
  }
}
