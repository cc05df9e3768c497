// The header of a request's connection. Its bytes are part of the pool's key, so that a connection never serves another
// client.

import {
  Agent,
  type AgentOptions,
  type ClientRequest,
  type ClientRequestArgs,
  type RequestOptions,
} from 'node:http'
import { inspect } from 'node:util'
import {
  encodeHeader,
  type EncodeOptions,
  type HeaderInit,
  type InetInit,
  tlvType,
} from '../../codec/index.ts'
import { currentHeader } from './with-header.ts'

/** How an agent finds the header of a request, and which requests may share a connection. */
export interface AgentHeaderOptions extends EncodeOptions {
  /**
   * For requests without a `header` of their own, outside of `withHeader()`: the header, or a function that returns it
   * for the request's options.
   */
  readonly header?: HeaderInit | ((options: HeaderRequestOptions) => HeaderInit | undefined) | undefined
  /**
   * Which requests share connections: those with the same header (`'header'`, the default), or those whose headers differ
   * only in source port and unique id (`'source-address'`). The server then sees the port and id of an earlier request.
   */
  readonly pool?: 'header' | 'source-address' | undefined
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

/** A request's header as it is sent, and what its connection may be shared by. */
interface Encoded {
  readonly bytes: Uint8Array
  readonly key: string
}

/** Among the options that an agent carries along with a request and its socket. */
const encodedKey: unique symbol = Symbol('proxyprotocol.header')

type Carrier = (HeaderRequestOptions | ClientRequestArgs) & { readonly [encodedKey]?: Encoded }

export class RequestHeader {
  readonly #encoding: EncodeOptions
  readonly #header: AgentHeaderOptions['header']
  readonly #byAddress: boolean

  constructor({ header, pool = 'header', checksum, padTo }: AgentHeaderOptions) {
    if (!['header', 'source-address'].includes(pool)) {
      throw new TypeError(`pool must be 'header' or 'source-address', got ${inspect(pool)}`)
    }
    this.#encoding = { checksum, padTo }
    this.#byAddress = pool === 'source-address'
    if (header !== undefined && typeof header !== 'function') encodeHeader(header, this.#encoding) // throws early
    this.#header = typeof header === 'function' ? header : structuredClone(header)
  }

  /** Hands a request on with its header encoded, so that a later change moves no connection to another client. */
  take(agent: Agent, request: ClientRequest, options: HeaderRequestOptions): void {
    plain.addRequest.call(agent, request, { ...options, [encodedKey]: this.#encode(options) })
  }

  /** @throws TypeError if neither the request nor the agent has a header, or it cannot be encoded. */
  bytes(options: Carrier): Uint8Array {
    return this.#encodedOf(options).bytes
  }

  /** A pool's key for connections that start with this header, or with one like it. */
  key(options: Carrier): string {
    return this.#encodedOf(options).key
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

  #encodedOf(options: Carrier): Encoded {
    return options[encodedKey] ?? this.#encode(options)
  }

  #encode(options: HeaderRequestOptions): Encoded {
    const { header = currentHeader() ?? this.#own(options) } = options
    if (header === undefined) {
      throw new TypeError('header must be given with the request, to withHeader() or to the agent, got none')
    }
    const bytes = encodeHeader(header, this.#encoding)
    const shared = this.#byAddress ? encodeHeader(withoutConnection(header)) : bytes
    return { bytes, key: Buffer.from(shared).toString('hex') }
  }

  #own(options: HeaderRequestOptions): HeaderInit | undefined {
    return typeof this.#header === 'function' ? this.#header(options) : this.#header
  }
}

/** The header less what is of one connection of the client alone. */
function withoutConnection(header: HeaderInit): HeaderInit {
  const tlvs = header.tlvs?.filter(({ type }) => type !== tlvType.uniqueId)
  const isInet = 'source' in header && 'address' in header.source
  return isInet
    ? { ...(header as InetInit), source: { ...header.source, port: 0 }, tlvs }
    : { ...header, tlvs }
}

/** @throws TypeError when the agent is to go through an HTTP proxy, which would be sent the header. */
export function refuseHttpProxy({ proxyEnv }: AgentOptions & { readonly proxyEnv?: unknown }): void {
  if (proxyEnv === undefined) return
  throw new TypeError(
    'proxyEnv cannot be used: an HTTP proxy would get the header that is meant for the server',
  )
}
