// An agent for node:http whose connections start with a header: Node's own agent, its pool divided by header.

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

/** What `http.Agent` takes, and the header; `keepAlive` is on unless it is `false`. */
export interface HeaderAgentOptions extends AgentOptions, AgentHeaderOptions {}

/**
 * An `http.Agent` whose connections start with a header: the request's `header`, or else the agent's own. Connections are
 * kept alive and reused, but only for requests with the very same header. Limits, timeouts and errors are those of
 * `http.Agent`; note that `maxSockets` counts for each header by itself, `maxTotalSockets` and `maxFreeSockets` for all.
 *
 * @throws TypeError or RangeError, from the constructor or from `http.request()`, when a header cannot be encoded or there
 * is none.
 * @see Specification, section 2: a connection has one header, and speaks for one client.
 *
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

  /** Called by node:http with each request. */
  addRequest(request: ClientRequest, options: HeaderRequestOptions): void {
    this.#header.take(this, request, options)
  }

  /** What two requests have in common that may share a connection: their header as well. */
  override getName(options: HeaderRequestOptions | ClientRequestArgs = {}): string {
    return `${super.getName(options)}:${this.#header.key(options)}`
  }

  override keepSocketAlive(socket: Duplex): boolean {
    this.#header.makeRoom(this)
    return super.keepSocketAlive(socket) as unknown as boolean // documented so, typed void
  }

  /** Written before it is connected, the header is what Node sends first and by itself. */
  override createConnection(options: ClientRequestArgs): Socket {
    return startSocket(options as NetConnectOpts, this.#header.bytes(options)) // the agent has made them so
  }
}
