// Which header a request's connection starts with, for the agents: the header's bytes are part of the pool's key, so that a
// connection that speaks for one client is never given to another.

import {
  Agent,
  type AgentOptions,
  type ClientRequest,
  type ClientRequestArgs,
  type RequestOptions,
} from 'node:http'
import { encodeHeader, type EncodeOptions, type HeaderInit } from '../../codec/index.ts'

/** What an agent is told of headers. */
export interface AgentHeaderOptions extends EncodeOptions {
  /** For requests that bring no `header` of their own. */
  readonly header?: HeaderInit | undefined
}

/** Request options with the client that the request is made for. */
export interface HeaderRequestOptions extends RequestOptions {
  /** What a new connection for this request starts with; connections are reused for the same header only. */
  header?: HeaderInit | undefined
}

/** What every agent has although no type says so: node:http hands each request to it. */
interface RequestTaker {
  addRequest(request: ClientRequest, options: HeaderRequestOptions): void
}

/** Node's own way to take a request, for agents of https too. */
const plain = new Agent() as Agent & RequestTaker

/** The bytes, among the options that an agent carries along with a request and its socket. */
const bytesKey: unique symbol = Symbol('proxyprotocol.header')

type Carrier = (HeaderRequestOptions | ClientRequestArgs) & { readonly [bytesKey]?: Uint8Array }

export class RequestHeader {
  readonly #encoding: EncodeOptions
  readonly #fallback: Uint8Array | undefined

  constructor({ header, ...encoding }: AgentHeaderOptions) {
    this.#encoding = encoding
    this.#fallback = header === undefined ? undefined : encodeHeader(header, encoding)
  }

  /** Hands a request on with its header settled: what becomes of the object later must not move a connection to another client. */
  take(agent: Agent, request: ClientRequest, options: HeaderRequestOptions): void {
    plain.addRequest.call(agent, request, { ...options, [bytesKey]: this.#encode(options) })
  }

  /** @throws TypeError where neither the request nor the agent has a header, or it cannot be encoded. */
  bytes(options: Carrier): Uint8Array {
    return options[bytesKey] ?? this.#encode(options)
  }

  /** A pool's key for connections that start with this header alone. */
  key(options: Carrier): string {
    return Buffer.from(this.bytes(options)).toString('hex')
  }

  /**
   * Makes room for one more connection that waits for its next request: `maxFreeSockets` holds over all pools. Node counts
   * each by itself, and there is one for each client that ever came.
   */
  makeRoom({ freeSockets, maxFreeSockets }: Agent): void {
    const open = Object.values(freeSockets)
      .flat()
      .filter(socket => socket?.destroyed === false)
    if (open.length >= maxFreeSockets) open[0]?.destroy() // of the pool that has been there for longest
  }

  #encode({ header }: HeaderRequestOptions): Uint8Array {
    if (header !== undefined) return encodeHeader(header, this.#encoding)
    if (this.#fallback) return this.#fallback
    throw new TypeError('header must be given with the request or to the agent, got none')
  }
}

/** @throws TypeError when the agent is to go through an HTTP proxy, which would be sent the header. */
export function refuseHttpProxy({ proxyEnv }: AgentOptions & { readonly proxyEnv?: unknown }): void {
  if (proxyEnv === undefined) return
  throw new TypeError(
    'proxyEnv cannot be used: an HTTP proxy would get the header that is meant for the server',
  )
}
