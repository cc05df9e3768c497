// The header is part of the pool's key, so that a connection never serves another client.

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

/** How an agent finds headers. */
export interface AgentHeaderOptions extends EncodeOptions {
  /**
   * The header, or a function of the request's options. A request's own header and `withHeader()` come first.
   */
  readonly header?: HeaderInit | ((options: HeaderRequestOptions) => HeaderInit | undefined) | undefined
  /**
   * `'header'` (default) shares a connection between requests with the same header. `'source-address'`
   * ignores source port and unique id: the server then sees those of an earlier request.
   */
  readonly pool?: 'header' | 'source-address' | undefined
}

/** Request options with the client's header. */
export interface HeaderRequestOptions extends RequestOptions {
  header?: HeaderInit | undefined
}

interface RequestTaker {
  addRequest(request: ClientRequest, options: HeaderRequestOptions): void
}

/** Its method serves https agents, too. */
const plain = new Agent() as Agent & RequestTaker

interface Encoded {
  readonly bytes: Uint8Array
  readonly key: string
}

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

  /** Encodes at once: a later change of the object must not move a connection to another client. */
  take(agent: Agent, request: ClientRequest, options: HeaderRequestOptions): void {
    plain.addRequest.call(agent, request, { ...options, [encodedKey]: this.#encode(options) })
  }

  bytes(options: Carrier): Uint8Array {
    return this.#encodedOf(options).bytes
  }

  key(options: Carrier): string {
    return this.#encodedOf(options).key
  }

  /** Node applies `maxFreeSockets` to each pool alone, and each client has its own. */
  makeRoom({ freeSockets, maxFreeSockets }: Agent): void {
    const open = Object.values(freeSockets)
      .flat()
      .filter(socket => socket?.destroyed === false)
    if (open.length >= maxFreeSockets) open[0]?.destroy() // of the oldest pool
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

function withoutConnection(header: HeaderInit): HeaderInit {
  const tlvs = header.tlvs?.filter(({ type }) => type !== tlvType.uniqueId)
  const isInet = 'source' in header && 'address' in header.source
  return isInet
    ? { ...(header as InetInit), source: { ...header.source, port: 0 }, tlvs }
    : { ...header, tlvs }
}

/** An HTTP proxy would get the header. */
export function refuseHttpProxy({ proxyEnv }: AgentOptions & { readonly proxyEnv?: unknown }): void {
  if (proxyEnv === undefined) return
  throw new TypeError(
    'proxyEnv cannot be used: an HTTP proxy would get the header that is meant for the server',
  )
}
