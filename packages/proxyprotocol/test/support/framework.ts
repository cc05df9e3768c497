// The rules that hold for every web framework behind attach(), on each kind of server that it runs on.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import http2, { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import https from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { certificate } from 'test-support/certificates'
import { outcome } from 'test-support/sockets'
import { attach, connectionInfo, type AttachOptions, type Connected } from '../../src/server/index.ts'
import { V1, V2 } from './headers.ts'
import { httpClients, type Answer } from './http-clients.ts'
import { HeaderFirst, type Cut } from './segments.ts'
import { createHarness } from './harness.ts'

/** The kinds of servers that frameworks run on. */
export type HttpKind = 'http' | 'https' | 'http2' | 'h2c'

/** What a client may speak with a server of each kind. */
const spoken = {
  http: ['HTTP/1.1'],
  https: ['HTTP/1.1 over TLS'],
  http2: ['HTTP/2 over TLS', 'HTTP/1.1 over TLS'],
  h2c: ['HTTP/2'],
} as const satisfies Readonly<Record<HttpKind, readonly (keyof typeof httpClients)[]>>

/** The load balancer of these tests. */
export const trusted: AttachOptions = { trust: ['127.0.0.1'] }

/** `1.2.3.4:5` of a client by connectionInfo(), whatever it is asked for. */
export function clientOf(connected: Connected | Socket): string {
  const source = connectionInfo(connected)?.source
  return source && 'address' in source ? `${source.address}:${source.port}` : 'nobody'
}

/** The address of the load balancer by connectionInfo(). */
export function peerOf(connected: Connected | Socket): string {
  const peer = connectionInfo(connected)?.via.peer
  return peer && 'address' in peer ? peer.address : 'nobody'
}

/** A server of a kind; HTTP/2 over TLS takes HTTP/1.1 as well. */
export function createHttpServer(
  kind: HttpKind,
  onRequest: (
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ) => unknown,
): Server {
  switch (kind) {
    case 'http':
      return http.createServer(onRequest)
    case 'https':
      return https.createServer(certificate, onRequest)
    case 'http2':
      return http2.createSecureServer({ ...certificate, allowHTTP1: true }, onRequest)
    case 'h2c':
      return http2.createServer(onRequest)
    default:
      return kind satisfies never
  }
}

/** A framework's server that listens on 127.0.0.1. */
export interface Running {
  readonly port: number
  readonly close: () => Promise<unknown>
}

/** Attaches to a server and makes it listen. */
export async function listen(server: Server): Promise<Running> {
  attach(server, trusted).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}

export interface Framework {
  readonly name: string
  readonly kinds: readonly HttpKind[]
  /** Starts a server whose handler calls `onRequest` and answers with what it sees of its client. */
  readonly start: (kind: HttpKind, onRequest: () => void) => Promise<Running>
  /** The answer to a client at 192.0.2.1:56324 behind the load balancer at 127.0.0.1. */
  readonly answer: Answer
}

const cuts: readonly Cut[] = ['one segment', 'header|payload', V1.length - 1, 3, 15, 20, 'byte by byte']
/** What clients write to be taken for another client. */
const forged = {
  'x-forwarded-for': '203.0.113.9',
  forwarded: 'for=203.0.113.9',
  'x-real-ip': '203.0.113.9',
  'client-ip': '203.0.113.9',
}

/** Declares the tests of a framework. */
export function testFramework({ name, kinds, start, answer }: Framework): void {
  for (const kind of kinds) {
    for (const protocol of spoken[kind]) {
      const title = `attach() on ${name}, ${kind} server, ${protocol}`
      const ask = httpClients[protocol]

      test(`${title}: its client is the header's, however the header is cut`, async t => {
        const { behind } = await stageFramework(t, { kind, start })
        for (const header of [V1, V2]) {
          for (const cut of cuts) {
            assert.deepEqual(await ask(behind(header, cut), { count: 1 }), [answer], `cut: ${String(cut)}`)
          }
        }
      })

      test(`${title}: every request of a connection has its client, one by one or pipelined`, async t => {
        const { behind, hits } = await stageFramework(t, { kind, start })
        for (const pipelined of [false, true]) {
          for (const header of [V1, V2]) {
            const stream = behind(header, 'one segment')
            assert.deepEqual(await ask(stream, { count: 3, pipelined }), [answer, answer, answer])
          }
        }
        assert.equal(hits(), 12)
      })

      test(`${title}: no forged X-Forwarded-For wins over the header`, async t => {
        const { behind } = await stageFramework(t, { kind, start })
        const stream = behind(V2, 'one segment')
        assert.deepEqual(await ask(stream, { count: 1, headers: forged }), [answer])
      })

      test(`${title}: without a header no request reaches a handler`, async t => {
        const { dial, hits } = await stageFramework(t, { kind, start })
        const socket = dial()
        socket.end('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
        assert.equal((await outcome(socket)).text, '')
        await assert.rejects(ask(new HeaderFirst(dial(), new Uint8Array(0), 'one segment'), { count: 1 }))
        assert.equal(hits(), 0)
      })
    }
  }
}

interface FrameworkStage {
  readonly dial: () => Socket
  /** A stream of a client that starts with a header. */
  readonly behind: (header: Uint8Array, cut: Cut) => HeaderFirst
  /** Requests that the handler has seen. */
  readonly hits: () => number
}

async function stageFramework(
  t: TestContext,
  { kind, start }: Pick<Framework, 'start'> & { readonly kind: HttpKind },
): Promise<FrameworkStage> {
  const harness = createHarness(t)
  let hits = 0
  const { port, close } = await start(kind, () => hits++)
  harness.defer(close)
  const dial = (): Socket => harness.dial(port)
  return { dial, behind: (header, cut) => new HeaderFirst(dial(), header, cut), hits: () => hits }
}
