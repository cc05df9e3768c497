// Behind attach() servers of HTTP keep their own timeouts and their ways to end.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { Socket } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { test } from 'node:test'
import tls from 'node:tls'
import { certificate } from 'test-support/certificates'
import { until } from 'test-support/sockets'
import { connectionInfo } from '../../../src/server/index.ts'
import { SOURCE, V2 } from '../../support/headers.ts'
import { HeaderFirst } from '../../support/segments.ts'
import { kinds, onRequest, secure, withServer, type KindName } from '../../support/server-kinds.ts'
import { options, CLIENT, fate, silent } from '../../support/attach-limits.ts'

/** Milliseconds; several of Node's checks are no finer. */
const SHORT = 40

/** Milliseconds that a request or a handshake does not take, however busy the machine is. */
const LONGER = 250

/** Reads a client's stream, and ends it when the server does. */
function over(stream: HeaderFirst | tls.TLSSocket): Promise<void> {
  stream.on('error', () => {}).on('end', () => stream.end())
  return new Promise(resolve => void stream.once('close', resolve).resume())
}

const httpServers = {
  http: (options: http.ServerOptions) => http.createServer(options, onRequest),
  https: (options: http.ServerOptions) => https.createServer({ ...certificate, ...options }, onRequest),
}

/** The bytes of a client of HTTP/1.1, over TLS on https. */
function speak(name: keyof typeof httpServers, stream: HeaderFirst): HeaderFirst | tls.TLSSocket {
  return name === 'https' ? secure(stream) : stream
}

/** Writes to a server, and reads what it says until it ends the connection. */
async function say(stream: HeaderFirst | tls.TLSSocket, text: string): Promise<string> {
  stream.write(text)
  const answer = await textOf(stream)
  stream.end()
  return answer
}

const REQUEST = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'

for (const name of ['http', 'https'] as const) {
  const checked = { connectionsCheckingInterval: SHORT / 4 }

  test(`attach() on ${name}: headersTimeout ends a request whose headers do not come`, t => {
    const server = httpServers[name]({ ...checked, headersTimeout: SHORT, requestTimeout: SHORT * 100 })
    return withServer(t, { server, options }, async ({ behind }) => {
      const answer = await say(speak(name, behind(V2)), 'GET / HTTP/1.1\r\nhost:')
      assert.match(answer, /^HTTP\/1\.1 408 /)
    })
  })

  test(`attach() on ${name}: requestTimeout ends a request whose body does not come`, t => {
    const server = httpServers[name]({ ...checked, headersTimeout: SHORT, requestTimeout: SHORT })
    server.removeAllListeners('request')
    server.on('request', (request: http.IncomingMessage) => request.resume())
    return withServer(t, { server, options }, async ({ behind }) => {
      const request = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nbody'
      assert.match(await say(speak(name, behind(V2)), request), /^HTTP\/1\.1 408 /)
    })
  })

  test(`attach() on ${name}: the time spent on waiting for the header is not the request's`, t => {
    const server = httpServers[name]({ ...checked, headersTimeout: LONGER, requestTimeout: LONGER })
    return withServer(t, { server, options }, async attached => {
      const socket = await silent(attached)
      const stalled = performance.now()
      await until(() => performance.now() - stalled > LONGER * 1.2)
      const answer = await say(
        speak(name, new HeaderFirst(socket, V2, 'one segment')),
        REQUEST.replace('a', 'a\r\nconnection: close'),
      )
      assert.match(answer, /^HTTP\/1\.1 200 [^]*192\.0\.2\.1:56324 by 127\.0\.0\.1$/)
    })
  })

  test(`attach() on ${name}: keepAliveTimeout ends a connection that has no more requests`, t => {
    const server = httpServers[name]({ keepAliveTimeout: SHORT })
    return withServer(t, { server, options }, async ({ behind }) => {
      assert.match(await say(speak(name, behind(V2)), REQUEST), /^HTTP\/1\.1 200 [^]*keep-alive/)
    })
  })

  test(`attach() on ${name}: server.timeout ends a connection that has gone quiet, and tells of its client`, t => {
    const server = httpServers[name]({})
    const seen: string[] = []
    server.setTimeout(SHORT, socket => {
      seen.push(String(socket.remoteAddress))
      socket.destroy()
    })
    server.removeAllListeners('request')
    return withServer(t, { server, options }, async ({ behind }) => {
      assert.equal(await say(speak(name, behind(V2)), REQUEST), '')
      assert.deepEqual(seen, ['192.0.2.1'])
    })
  })

  test(`attach() on ${name}: closeIdleConnections() ends what waits, for a header or a request, and no other`, t => {
    const server = httpServers[name]({})
    const answers: (() => void)[] = []
    server.removeAllListeners('request')
    server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
      if (request.url === '/now') response.end('now')
      else answers.push(() => response.setHeader('connection', 'close').end('later'))
    })
    return withServer(t, { server, options }, async attached => {
      const { behind } = attached
      const waiting = fate(await silent(attached))
      const idle = speak(name, behind(V2))
      const idleOver = over(idle)
      idle.write(REQUEST.replace('/', '/now'))
      await once(idle, 'data')
      const busy = say(speak(name, behind(V2)), REQUEST)
      await until(() => answers.length > 0)
      server.closeIdleConnections()
      await Promise.all([waiting, idleOver])
      answers[0]?.()
      assert.match(await busy, /later$/)
    })
  })

  test(`attach() on ${name}: closeAllConnections() ends those that wait for a header as well`, t => {
    const server = httpServers[name]({})
    server.removeAllListeners('request')
    return withServer(t, { server, options }, async attached => {
      const waiting = fate(await silent(attached))
      const busy = speak(name, attached.behind(V2))
      const busyOver = over(busy)
      const requested = once(server, 'request')
      busy.write(REQUEST)
      await requested
      server.closeAllConnections()
      await Promise.all([waiting, busyOver])
    })
  })

  test(`attach() on ${name}: 'clientError' tells of the client whose request is none`, t => {
    const server = httpServers[name]({})
    return withServer(t, { server, options }, async ({ behind }) => {
      const failed = once(server, 'clientError') as Promise<[Error, Socket]>
      const stream = speak(name, behind(V2))
      stream.on('error', () => {})
      stream.write('no request\r\n\r\n')
      const [error, socket] = await failed
      assert.equal((error as NodeJS.ErrnoException).code, 'HPE_INVALID_METHOD')
      assert.deepEqual(
        [socket.remoteAddress, connectionInfo(socket)?.source],
        ['192.0.2.1', { address: '192.0.2.1', port: 56324 }],
      )
      socket.destroy()
      stream.destroy()
    })
  })

  for (const [event, request] of Object.entries({
    upgrade: 'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n',
    connect: 'CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n',
  })) {
    test(`attach() on ${name}: '${event}' hands over the client's socket and what followed the request`, t => {
      const server = httpServers[name]({})
      server.on(event, (incoming: http.IncomingMessage, socket: Socket, head: Buffer) => {
        socket.end(`${incoming.socket.remoteAddress} ${socket.remotePort} ${head.toString()}`)
      })
      return withServer(t, { server, options }, async ({ behind }) => {
        assert.equal(await say(speak(name, behind(V2)), `${request}head`), '192.0.2.1 56324 head')
      })
    })
  }
}

/** A session over a stream; its errors are those of its requests. */
function sessionOver(stream: HeaderFirst | tls.TLSSocket): http2.ClientHttp2Session {
  return http2.connect('http://localhost', { createConnection: () => stream }).on('error', () => {})
}

async function seenBy(session: http2.ClientHttp2Session): Promise<string> {
  return textOf(session.request({ ':path': '/' }))
}

for (const name of ['http2', 'h2c'] as const) {
  const speakHttp2 = (stream: HeaderFirst): http2.ClientHttp2Session =>
    sessionOver(name === 'http2' ? secure(stream, 'h2') : stream)

  test(`attach() on ${name}: 'session' and 'stream' know the client, and every stream of a session is its`, t => {
    const server = kinds[name].create()
    const seen: unknown[] = []
    server.on('session', (session: http2.ServerHttp2Session) => seen.push(session.socket.remoteAddress))
    server.on('stream', (stream: http2.ServerHttp2Stream) => {
      seen.push(stream.session?.socket.remotePort, connectionInfo(stream)?.source)
    })
    return withServer(t, { server, options }, async ({ behind }) => {
      const session = speakHttp2(behind(V2))
      assert.deepEqual(await Promise.all([seenBy(session), seenBy(session)]), [CLIENT, CLIENT])
      assert.deepEqual(seen, ['192.0.2.1', 56324, SOURCE, 56324, SOURCE])
      session.close()
      await once(session, 'close')
    })
  })

  test(`attach() on ${name}: server.timeout ends a session that has gone quiet`, t => {
    const server = kinds[name].create()
    server.setTimeout(LONGER)
    return withServer(t, { server, options }, async ({ behind }) => {
      const session = speakHttp2(behind(V2))
      assert.equal(await seenBy(session), CLIENT)
      await once(session, 'close')
    })
  })

  test(`attach() on ${name}: close() lets an open session finish its request`, t => {
    const server = kinds[name].create()
    const responses: http2.Http2ServerResponse[] = []
    server.removeAllListeners('request')
    server.on('request', (_request, response: http2.Http2ServerResponse) => responses.push(response))
    return withServer(t, { server, options }, async ({ behind }) => {
      const session = speakHttp2(behind(V2))
      const answer = seenBy(session)
      await until(() => responses.length > 0)
      const closed = once(server, 'close')
      server.close()
      responses[0]?.end('finished')
      assert.equal(await answer, 'finished')
      session.close()
      await closed
    })
  })
}

for (const name of ['tls', 'https', 'http2'] as const satisfies readonly KindName[]) {
  test(`attach() on ${name}: handshakeTimeout counts from the header, and ends a client that says nothing more`, t => {
    const settings = { ...certificate, handshakeTimeout: SHORT }
    const server =
      name === 'tls'
        ? tls.createServer(settings)
        : name === 'https'
          ? https.createServer(settings)
          : http2.createSecureServer(settings)
    return withServer(t, { server, options }, async attached => {
      const socket = await silent(attached)
      const stalled = performance.now()
      await until(() => performance.now() - stalled > SHORT * 2)
      const failed = once(server, 'tlsClientError') as Promise<[NodeJS.ErrnoException, tls.TLSSocket]>
      socket.write(V2)
      const [error, secured] = await failed
      assert.deepEqual([error.code, secured.remoteAddress], ['ERR_TLS_HANDSHAKE_TIMEOUT', '192.0.2.1'])
      await fate(socket)
    })
  })
}

test("attach() on http2: 'unknownProtocol' tells of the client that offers no protocol", async t => {
  const server = http2.createSecureServer(certificate)
  await withServer(t, { server, options }, async ({ behind }) => {
    const unknown = once(server, 'unknownProtocol') as Promise<[tls.TLSSocket]>
    const closed = over(secure(behind(V2)))
    const [socket] = await unknown
    assert.deepEqual([socket.remoteAddress, connectionInfo(socket)?.source], ['192.0.2.1', SOURCE])
    socket.destroy()
    await closed
  })
})
