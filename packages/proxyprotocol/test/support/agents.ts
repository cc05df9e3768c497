// The agents for http and https, and a server that says which client it saw.

import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Server, Socket } from 'node:net'
import { certificate } from 'test-support/certificates'
import { untyped } from 'test-support/untyped'
import {
  HeaderAgent,
  HeaderHttpsAgent,
  type HeaderAgentOptions,
  type HeaderRequestOptions,
} from '../../src/client/index.ts'
import type { InetInit } from '../../src/codec/index.ts'
import { DESTINATION } from './headers.ts'

export const HOST = '127.0.0.1'
export const TRUSTED = { ca: certificate.cert }

/** The header of a client of its own. */
export function client(n: number): InetInit {
  return { source: { address: '192.0.2.1', port: n }, destination: DESTINATION }
}

interface Kind {
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
