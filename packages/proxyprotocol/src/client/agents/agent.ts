// node:http's agent, with its pool divided by header.

import { Agent, type AgentOptions, type ClientRequest, type ClientRequestArgs } from 'node:http'
import type { NetConnectOpts, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { startSocket } from '../connect/index.ts'
import {
  type AgentHeaderOptions,
  type HeaderRequestOptions,
  refuseHttpProxy,
  RequestHeader,
} from './request-header.ts'

/** Options of `http.Agent`, and the header; `keepAlive` is on by default. */
export interface HeaderAgentOptions extends AgentOptions, AgentHeaderOptions {}

/**
 * An `http.Agent` whose connections start with the request's `header`, or else the agent's. Only requests
 * with the same header share a connection. `maxSockets` counts for each header, `maxTotalSockets` and
 * `maxFreeSockets` for all.
 *
 * @throws TypeError or RangeError, from the constructor or `http.request()`, for a missing or wrong header.
 * @see Specification, section 2.
 * @example
 * ```ts run
 * import http from 'node:http'
 * import { HeaderAgent, headerFor, type HeaderRequestOptions } from 'proxyprotocol/client'
 *
 * const agent = new HeaderAgent()
 * const gateway = http.createServer((request, response) => {
 *   const header = headerFor(request.socket)
 *   const options: HeaderRequestOptions = { agent, header, port: 10007, path: request.url }
 *   http.get(options, answer => answer.pipe(response)).on('error', () => response.destroy())
 * })
 * ```
 */
export class HeaderAgent extends Agent {
  readonly #header: RequestHeader

  constructor({ header, pool, checksum, padTo, keepAlive = true, ...options }: HeaderAgentOptions = {}) {
    refuseHttpProxy(options)
    super({ ...options, keepAlive })
    this.#header = new RequestHeader({ header, pool, checksum, padTo })
  }

  /** node:http calls it. */
  addRequest(request: ClientRequest, options: HeaderRequestOptions): void {
    this.#header.take(this, request, options)
  }

  override getName(options: HeaderRequestOptions | ClientRequestArgs = {}): string {
    return `${super.getName(options)}:${this.#header.key(options)}`
  }

  override keepSocketAlive(socket: Duplex): boolean {
    this.#header.makeRoom(this)
    return super.keepSocketAlive(socket) as unknown as boolean // documented so, typed void
  }

  /** Node's first write must be the header. */
  override createConnection(options: ClientRequestArgs): Socket {
    return startSocket(options as NetConnectOpts, this.#header.bytes(options)) // the agent has made them so
  }
}
