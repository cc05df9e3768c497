// node:https's agent, with a header before TLS.

import type { ClientRequest } from 'node:http'
import { Agent, type AgentOptions, type RequestOptions } from 'node:https'
import type { NetConnectOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { boolean } from '../../checks/index.ts'
import { HeaderStream, startSocket } from '../connect/index.ts'
import {
  type AgentHeaderOptions,
  type HeaderRequestOptions,
  refuseHttpProxy,
  RequestHeader,
} from './request-header.ts'

/** Options of `https.Agent`, and the header; `keepAlive` is on by default. */
export interface HeaderHttpsAgentOptions extends AgentOptions, AgentHeaderOptions {
  /** Sends the header as the first bytes inside TLS. Default false. */
  readonly headerInsideTls?: boolean | undefined
}

/**
 * An `https.Agent` whose connections start with a header in clear; see `HeaderAgent`. Requests with the same
 * header share connections and TLS sessions.
 *
 * @throws TypeError or RangeError, from the constructor or `https.request()`, for a missing or wrong header.
 * @example
 * ```ts run
 * import https from 'node:https'
 * import { HeaderHttpsAgent } from 'proxyprotocol/client'
 *
 * const source = { address: '192.0.2.1', port: 56324 }
 * const destination = { address: '198.51.100.7', port: 443 }
 * const agent = new HeaderHttpsAgent({ header: { source, destination } })
 * function ask(): void {
 *   https.get('https://backend.example/', { agent }, response => response.resume()).on('error', console.error)
 * }
 * ```
 */
export class HeaderHttpsAgent extends Agent {
  readonly #header: RequestHeader
  readonly #isInside: boolean

  constructor({
    header,
    pool,
    checksum,
    padTo,
    headerInsideTls = false,
    keepAlive = true,
    ...options
  }: HeaderHttpsAgentOptions = {}) {
    refuseHttpProxy(options)
    super({ ...options, keepAlive })
    this.#header = new RequestHeader({ header, pool, checksum, padTo })
    this.#isInside = boolean(headerInsideTls, 'headerInsideTls')
  }

  /** node:https calls it. */
  addRequest(request: ClientRequest, options: HeaderRequestOptions): void {
    this.#header.take(this, request, options)
  }

  /** Requests share a connection if their names are equal: the header is part of them. */
  override getName(options: HeaderRequestOptions | RequestOptions = {}): string {
    return `${super.getName(options)}:${this.#header.key(options)}`
  }

  /** Opens a connection that starts with the header of these options. */
  override createConnection(options: RequestOptions): Duplex | null | undefined {
    const where = { ...options, timeout: undefined } as NetConnectOpts // the agent has made them so; the timeout is the TLS socket's
    const bytes = this.#header.bytes(options)
    const stream = new HeaderStream(startSocket(where, bytes, this.#isInside))
    const settings = { ...options, socket: stream } as RequestOptions // goes on to tls.connect()
    const secure = super.createConnection(settings) as TLSSocket // without a callback it returns one
    if (this.#isInside) secure.write(bytes)
    return stream.carry(secure)
  }

  override keepSocketAlive(secure: Duplex): boolean {
    this.#header.makeRoom(this)
    return super.keepSocketAlive(secure) as unknown as boolean // documented so, typed void
  }
}
