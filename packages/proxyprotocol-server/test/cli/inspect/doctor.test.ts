// The doctor against servers of every kind: what it finds they accept, and what it cannot tell apart.

import assert from 'node:assert/strict'

import http from 'node:http'
import https from 'node:https'
import { connect, createServer as createNetServer, type AddressInfo, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { test, type TestContext } from 'node:test'
import tls from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { attach, createServer, type ProxyServer } from 'proxyprotocol/server'
import { certificate } from 'test-support/certificates'
import { runEcho } from '../../../src/cli/index.ts'
import { exchange } from '../../../src/cli/inspect/doctor-exchange.ts'
import { inspectIo, runInspect } from '../../../src/cli/inspect/inspect.ts'
import { fakeIo, start } from '../../support/program.ts'
import { atEnd } from '../../support/teardown.ts'
import { listening, diagnose } from '../../support/diagnosis.ts'

async function listeningProxy(t: TestContext, server: ProxyServer): Promise<number> {
  const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
  atEnd(t, () => server.close({ drain: 0 }))
  return port
}

function pipeBack(socket: Socket): void {
  socket.pipe(socket)
}

function respond(_request: http.IncomingMessage, response: http.ServerResponse): void {
  response.end('ok')
}

const trust = ['127.0.0.1']

test('attach() on http takes versions 1, 2 and LOCAL, and nothing without a header', async t => {
  const port = await listening(t, attach(http.createServer(respond), { trust }))
  const { code, works, accepted, of, configuration } = await diagnose(port)
  assert.deepEqual([code, works, accepted], [0, true, ['v1', 'v2', 'local']])
  assert.deepEqual([of('none').verdict, of('none').seen], ['refused', 'closed behind the request'])
  assert.equal(of('v2').seen, 'HTTP/1.1 200')
  assert.deepEqual(
    configuration.map(({ program, sends, text }) => [program, sends, text.split('\n')[0]]).slice(0, 2),
    [
      ['HAProxy', 'version 2', `server app1 127.0.0.1:${port} send-proxy-v2`],
      ['nginx', 'version 1', `proxy_pass 127.0.0.1:${port};`],
    ],
  )
})

test('attach() on https takes a header with TLS behind it', async t => {
  const port = await listening(t, attach(https.createServer(certificate, respond), { trust }))
  const { accepted, of } = await diagnose(port)
  assert.deepEqual(accepted, ['v1+tls', 'v2+tls'])
  for (const name of ['v1', 'v2', 'local']) assert.equal(of(name).because, 'it wants TLS there', name)
  assert.match(of('v2+tls').seen, /^TLSv1\.3, then HTTP\/1\.1 200$/)
  assert.match(of('tls').seen, /in the TLS handshake$/)
})

test('attach() on net with a server that speaks first takes headers, as it is silent without', async t => {
  const server = createNetServer(socket => void socket.end('220 mail.example\r\n'))
  const { accepted, of } = await diagnose(await listening(t, attach(server, { trust })))
  assert.deepEqual(accepted, ['v1', 'v2', 'local'])
  assert.equal(of('v1').seen, 'spoke first: "220 mail.example"')
})

test('a plain HTTP server takes no header, and is told from one that does by what it answers', async t => {
  const port = await listening(t, http.createServer(respond))
  const { code, accepted, of, configuration } = await diagnose(port)
  assert.deepEqual([code, accepted], [3, ['none']])
  assert.deepEqual([of('v1').seen, of('v1').because], ['HTTP/1.1 400', 'as if the header were a request'])
  assert.match(of('tls').seen, /^TLS failed: /)
  assert.equal(configuration[0]?.sends, 'no header')
  assert.equal((await diagnose(port, '--expect', 'none')).code, 0)
})

test('a far end may be a name, and an IPv6 address', async t => {
  const requests: (string | undefined)[] = []
  const names: unknown[] = []
  const server = https.createServer(certificate, (request, response) => {
    requests.push(request.headers.host)
    names.push((request.socket as unknown as { readonly servername: unknown }).servername)
    response.end()
  })
  const port = await listening(t, server, 'localhost')
  assert.deepEqual((await diagnose(`localhost:${port}`)).accepted, ['tls'])
  assert.deepEqual([requests, names], [['localhost'], ['localhost']])
  const six = await diagnose(
    `[::1]:${await listening(t, attach(http.createServer(respond), { trust: ['::1'] }), '::1')}`,
  )
  assert.deepEqual(six.accepted, ['v1', 'v2', 'local'])
})

test('a server that answers plain requests with 400 and TLS with TLS wants TLS', async t => {
  const secure = https.createServer(certificate, respond)
  const server = createNetServer(socket => {
    socket.once('data', bytes => {
      if (bytes[0] !== 0x16) return void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
      socket.pause()
      socket.unshift(bytes)
      secure.emit('connection', socket)
    })
  })
  const { accepted, of } = await diagnose(await listening(t, server))
  assert.deepEqual(accepted, ['tls'])
  assert.deepEqual([of('none').seen, of('none').because], ['HTTP/1.1 400', 'it wants TLS there'])
})

test('a plain HTTPS server takes TLS and no header, and may take one inside TLS', async t => {
  const { accepted, of } = await diagnose(await listening(t, https.createServer(certificate, respond)))
  assert.deepEqual(accepted, ['tls'])
  assert.equal(of('none').because, 'it wants TLS there')
  assert.equal(of('tls+v2').seen, 'TLSv1.3, then HTTP/1.1 400')
})

test('a server that ends TLS in front of one that takes headers takes them inside TLS, and both', async t => {
  const inner = attach(http.createServer(respond), { trust: 'anyone' })
  const innerPort = await listening(t, inner)
  const outer = createServer(
    { trust, tls: certificate, missing: 'direct', onError: () => {} },
    async ({ socket }) => {
      const behind = connect(innerPort, '127.0.0.1')
      await Promise.all([pipeline(socket, behind), pipeline(behind, socket)]).catch(() => {})
    },
  )
  const port = await listeningProxy(t, outer)
  const { accepted } = await diagnose(port)
  assert.ok(accepted.includes('tls+v2') && accepted.includes('v2+tls+v2'), accepted.join())
  const io = fakeIo()
  await runInspect(['doctor', `127.0.0.1:${port}`], { ...inspectIo, ...io })
  assert.match(io.written.join(''), /It takes a header inside TLS; HAProxy and nginx send theirs in clear/)
})

test('createServer() with TLS and version 2 alone takes exactly that', async t => {
  const server = createServer(
    { trust, tls: certificate, version: 'v2' },
    ({ socket }) => void socket.end('hello'),
  )
  const port = await listeningProxy(t, server)
  const { accepted, of } = await diagnose(port)
  assert.deepEqual(accepted, ['v2+tls', 'v2+tls+v2'].slice(0, accepted.length))
  assert.equal(of('v1+tls').verdict, 'refused')
  assert.equal((await diagnose(port, '--expect', 'v2+tls')).code, 0)
  assert.equal((await diagnose(port, '--expect', 'v1+tls')).code, 3)
})

test('a server that takes version 2 alone refuses version 1 at once', async t => {
  const port = await listening(t, attach(http.createServer(respond), { trust, version: 'v2' }))
  const { accepted, of } = await diagnose(port)
  assert.deepEqual(accepted, ['v2', 'local'])
  assert.deepEqual([of('v1').verdict, of('v1').seen], ['refused', 'closed at once'])
})

test('LOCAL that is answered by closing is unclear, as it may be a health check', async t => {
  const server = createServer({ trust }, ({ socket, info }) => {
    if (info.header?.command !== 'LOCAL') socket.end('hello')
  })
  const { of } = await diagnose(await listeningProxy(t, server))
  assert.deepEqual([of('local').verdict, of('local').seen], ['unclear', 'closed at once'])
  assert.match(of('local').because ?? '', /health check/)
})

test('a server that speaks first whatever it is sent cannot be told from one that reads headers', async t => {
  const server = createNetServer(socket => void socket.write('SSH-2.0-x\u0007\r\n'))
  const { code, accepted, of } = await diagnose(await listening(t, server))
  assert.deepEqual([code, accepted], [3, ['none']])
  assert.equal(of('none').seen, 'spoke first: "SSH-2.0-x\\u0007"')
  assert.deepEqual([of('v2').verdict, of('v2').because], ['unclear', 'it speaks first, whatever it is sent'])
})

test('a server that answers the header itself takes it for data', async t => {
  const server = createNetServer(
    socket => void socket.on('data', () => socket.write('-ERR unknown command\r\n')),
  )
  const { accepted, of } = await diagnose(await listening(t, server))
  assert.deepEqual(accepted, ['none'])
  assert.equal(of('v1').because, 'it answers the header, and so takes it for data')
})

test('an echo without headers sends the header back, and one that reads it sends the request back', async t => {
  const blind = await start(t, runEcho, ['127.0.0.1:0?pp=noop'])
  const seeing = await start(t, runEcho, ['127.0.0.1:0'])
  const refused = await diagnose(blind.ports[0] ?? 0)
  assert.equal(refused.of('v2').because, 'it sends the header back, and so takes it for data')
  const { accepted, of } = await diagnose(seeing.ports[0] ?? 0)
  assert.deepEqual(accepted, ['v1', 'v2', 'local'])
  assert.equal(of('v1').seen, 'answered "GET / HTTP/1.1"')
})

test('the request goes out behind a wait that a garbage collection falls into', async t => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const port = await listening(t, createNetServer(pipeBack))
  const collecting = setInterval(collect, 50)
  const seen = await exchange({ host: '127.0.0.1', port, timeout: 2000 }, [])
  clearInterval(collecting)
  assert.deepEqual([seen.outcome, seen.asked], ['answered', true])
})

test('a silent server is unclear in everything, within the time that was given', async t => {
  const { code, accepted, of } = await diagnose(await listening(t, createNetServer()), '--timeout', '260')
  assert.deepEqual([code, accepted], [3, []])
  assert.deepEqual([of('none').verdict, of('none').seen], ['unclear', 'silent'])
  assert.deepEqual([of('v2+tls').verdict, of('v2+tls').seen], ['unclear', 'silent in the TLS handshake'])
})

test('a server that closes on a request is unclear, and one that resets at once refuses', async t => {
  const closing = createNetServer(socket => {
    socket.on('data', bytes => /GET|\x16\x03/.test(bytes.toString('latin1')) && socket.end())
  })
  const { of } = await diagnose(await listening(t, closing))
  assert.deepEqual([of('none').verdict, of('v2').verdict], ['unclear', 'unclear'])
  assert.equal(of('v2').because, 'it may be the request that it does not understand')
  const resetting = createNetServer(socket => void socket.on('data', () => socket.resetAndDestroy()))
  const harsh = await diagnose(await listening(t, resetting))
  assert.deepEqual([harsh.of('v2').verdict, harsh.of('v2').seen], ['refused', 'reset at once'])
  assert.equal(harsh.of('tls').seen, 'reset in the TLS handshake')
  const shut = createNetServer(socket => void socket.end())
  assert.equal((await diagnose(await listening(t, shut))).of('none').seen, 'closed before the request')
})

test('an HTTP server that does not like the request may still take it without a header', async t => {
  const server = http.createServer((_request, response) => response.writeHead(400).end())
  const { of } = await diagnose(await listening(t, server))
  assert.deepEqual(
    [of('none').verdict, of('none').because],
    ['unclear', 'it may be the request that it does not like'],
  )
})

test('a server that answers in TLS without a handshake wants TLS', async t => {
  const alert = Buffer.from('15030100020228', 'hex')
  const server = createNetServer(socket => void socket.once('data', () => socket.end(alert)))
  const { of } = await diagnose(await listening(t, server))
  assert.deepEqual([of('v2').verdict, of('v2').because], ['refused', 'it wants TLS there'])
  assert.match(of('tls').seen, /^TLS failed: /)
})

test('a server that wants a client certificate takes the header before TLS, and says so behind the handshake', async t => {
  const server = tls.createServer({ ...certificate, requestCert: true, rejectUnauthorized: true })
  server.on('tlsClientError', () => {})
  const port = await listening(t, attach(server, { trust }))
  const { of } = await diagnose(port)
  assert.equal(of('v2+tls').verdict, 'accepted')
  assert.equal(of('v2+tls+v2').verdict, 'refused')
})

test('one that is reached only once is unclear for what comes after', async t => {
  const server = http.createServer(respond)
  const port = await listening(t, server)
  server.once('request', () => server.close())
  const { accepted, of } = await diagnose(port)
  assert.deepEqual(accepted, ['none'])
  assert.match(of('v2').seen, /ECONNREFUSED/)
  assert.deepEqual(
    [of('v2').verdict, of('v2').because],
    ['unclear', 'it could be reached for other attempts'],
  )
})
