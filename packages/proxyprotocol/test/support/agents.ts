// The agents for http and https, and a server that says which client it saw.

import { once } from 'node:events'
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Server, Socket } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { certificate } from 'test-support/certificates'
import { turns } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import {
  HeaderAgent,
  HeaderHttpsAgent,
  type HeaderAgentOptions,
  type HeaderRequestOptions,
} from '../../src/client/index.ts'
import type { HeaderInit, InetInit } from '../../src/codec/index.ts'
import { listenAttached, type AttachedServer } from './attached.ts'
import type { Harness } from './harness.ts'
import { DESTINATION } from './headers.ts'

export const HOST = '127.0.0.1'
export const TRUSTED = { ca: certificate.cert }

/** The header of a client of its own. */
export function client(n: number): InetInit {
  return { source: { address: '192.0.2.1', port: n }, destination: DESTINATION }
}

export interface Kind {
  readonly module: typeof http | typeof https
  readonly listen: (onRequest: http.RequestListener) => Server
  readonly agent: (options?: HeaderAgentOptions) => HeaderAgent | HeaderHttpsAgent
  /** Agents whose pool has Node's own key, without the header. */
  readonly unkeyed: (options?: HeaderAgentOptions) => HeaderAgent | HeaderHttpsAgent
}

class UnkeyedAgent extends HeaderAgent {
  override getName(options?: HeaderRequestOptions): string {
    return new http.Agent().getName(untyped(options))
  }
}

export class UnkeyedHttpsAgent extends HeaderHttpsAgent {
  override getName(options?: HeaderRequestOptions): string {
    return new https.Agent().getName(options)
  }
}

export const kinds: Readonly<Record<string, Kind>> = {
  HeaderAgent: {
    module: http,
    listen: onRequest => http.createServer(onRequest),
    agent: options => new HeaderAgent(options),
    unkeyed: options => new UnkeyedAgent(options),
  },
  HeaderHttpsAgent: {
    module: https,
    listen: onRequest => https.createServer(certificate, onRequest),
    agent: options => new HeaderHttpsAgent({ ...TRUSTED, ...options }),
    unkeyed: options => new UnkeyedHttpsAgent({ ...TRUSTED, ...options }),
  },
}

/** Answers with the client's port, as the server's own code sees it. */
export function tellClient({ socket }: IncomingMessage, response: http.ServerResponse): void {
  response.end(`${socket.remoteAddress}:${socket.remotePort}`)
}

export interface Reply {
  readonly text: string
  readonly request: ClientRequest
  readonly socket: Socket
}

/** Starts a server that reports which client it sees, an agent, and a way to ask through it. */
export async function startAgent(
  harness: Harness,
  { module, listen, agent: make }: Kind,
  options: {
    readonly agent?: HeaderAgent | HeaderHttpsAgent
    readonly onRequest?: http.RequestListener
  } = {},
): Promise<{
  readonly agent: HeaderAgent | HeaderHttpsAgent
  readonly server: AttachedServer
  readonly ask: (header?: HeaderInit, more?: HeaderRequestOptions) => Promise<Reply>
}> {
  const { agent = make(), onRequest = tellClient } = options
  const server = await listenAttached(harness, listen(onRequest))
  harness.defer(() => agent.destroy())
  const ask = async (header?: HeaderInit, more: HeaderRequestOptions = {}): Promise<Reply> => {
    const where: HeaderRequestOptions = { agent, host: HOST, port: server.port, header, ...more }
    const request = module.get(where)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const { socket } = response
    const text = await textOf(response)
    await turns() // the connection goes back to the pool
    return { text, request, socket }
  }
  return { agent, server, ask }
}
