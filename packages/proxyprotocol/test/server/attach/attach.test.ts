// attach() on every kind of server that Node has: the same rules hold on each.

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import net, { type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import tls from 'node:tls'
import { certificate } from 'test-support/certificates'
import { outcome, turns } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import {
  attach,
  connectionInfo,
  createServer,
  diagnosticsChannels,
  type RejectedMessage,
} from '../../../src/server/index.ts'
import { DESTINATION, encode, LOCAL, SOURCE, V1, V2 } from '../../support/headers.ts'
import { HeaderFirst, type Cut } from '../../support/segments.ts'
import {
  askHttp,
  askHttp2,
  askPlain,
  kinds,
  onRequest,
  onSocket,
  withServer,
} from '../../support/server-kinds.ts'
import { createHarness } from '../../support/harness.ts'

const CHECKED = encode({ source: SOURCE, destination: DESTINATION }, { checksum: true })
const cuts: readonly Cut[] = ['one segment', 'header|payload', 3, 15, 20, 'byte by byte']

for (const [name, { create, ask }] of Object.entries(kinds)) {
  test(`attach() on ${name}: the client's address, however the header is cut`, t =>
    withServer(t, { server: create() }, async ({ behind }) => {
      for (const header of [V1, V2, CHECKED]) {
        for (const cut of cuts) {
          assert.equal(await ask(behind(header, cut)), '192.0.2.1:56324 by 127.0.0.1', `cut: ${String(cut)}`)
        }
      }
    }))

  test(`attach() on ${name}: LOCAL shows the peer itself`, t =>
    withServer(t, { server: create() }, async ({ dial }) => {
      const socket = dial()
      await once(socket, 'connect')
      const { localPort } = socket
      const answer = await ask(new HeaderFirst(socket, LOCAL, 'one segment'))
      assert.equal(answer, `127.0.0.1:${localPort} by 127.0.0.1`)
    }))

  test(`attach() on ${name}: what is not a header is closed, and the server lives on`, t =>
    withServer(t, { server: create() }, async ({ dial, behind }) => {
      for (const junk of [
        'GET / HTTP/1.1\r\n\r\n',
        'PROXY TCP4 1.2.3.4',
        V2.subarray(0, 20),
        '\x16\x03\x01',
        '',
      ]) {
        const socket = dial()
        socket.end(junk)
        assert.equal((await outcome(socket)).text, '')
      }
      assert.match(await ask(behind(V2)), /^192\.0\.2\.1:/)
    }))

  test(`attach() on ${name}: an untrusted peer never gets through`, t =>
    withServer(t, { server: create(), options: { trust: ['192.0.2.0/24'] } }, async ({ dial }) => {
      const socket = dial()
      socket.end(V2)
      assert.equal((await outcome(socket)).text, '')
    }))

  test(`attach() on ${name}: close() does not wait for connections without a header`, t =>
    withServer(t, { server: create() }, async ({ server, dial }) => {
      const socket = dial()
      await once(socket, 'connect')
      await turns(5)
      server.close()
      await once(server, 'close')
      socket.destroy()
    }))
}

/** What the channel says of a server until the test ends. */
function refusals(t: TestContext, server: Server): RejectedMessage[] {
  const seen: RejectedMessage[] = []
  const onMessage = (message: unknown): void => {
    if ((message as RejectedMessage).server === server) seen.push(message as RejectedMessage)
  }
  subscribe(diagnosticsChannels.rejected, onMessage)
  t.after(() => unsubscribe(diagnosticsChannels.rejected, onMessage))
  return seen
}

test('attach() tells why a connection was refused and what came instead, but not of probes', async t => {
  const server = http.createServer(onRequest)
  const seen = refusals(t, server)
  await withServer(t, { server }, async ({ dial }) => {
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '', 'PROXY TCP4 1.2.3.256 ']) {
      await outcome(dial().end(bytes))
    }
    assert.deepEqual(
      seen.map(({ error }) => error.code),
      ['header_missing', 'v1_address'],
    )
    assert.match(String(seen[0]?.error.message), /HTTP request without a header/)
    assert.equal((seen[0]?.info.via.peer as { address: string }).address, '127.0.0.1')
  })
})

test('attach() holds no more connections without a header than limits.pendingHeaders', async t => {
  const server = net.createServer(onSocket)
  const seen = refusals(t, server)
  const options = { limits: { pendingHeaders: 2 } }
  await withServer(t, { server, options }, async ({ dial, behind }) => {
    const waiting = [dial(), dial()]
    await Promise.all(waiting.map(socket => once(socket, 'connect')))
    await turns(5)
    await outcome(dial().end(V2))
    assert.deepEqual(
      seen.map(({ error }) => error.code),
      ['limit_connections'],
    )
    for (const socket of waiting) socket.destroy()
    await turns(5)
    assert.match(await askPlain(behind(V2)), /^192\.0\.2\.1:/)
  })
})

test('attach() closes a connection whose header does not come in time, however it drips', async t => {
  const server = http.createServer(onRequest)
  const seen = refusals(t, server)
  await withServer(t, { server, options: { timeouts: { header: 50 } } }, async ({ dial }) => {
    const socket = dial()
    socket.write(V1.subarray(0, 20))
    await once(socket.resume(), 'end')
    socket.destroy()
    assert.deepEqual(
      seen.map(({ error }) => error.code),
      ['header_timeout'],
    )
  })
})

test('attach() fails closed when the trust predicate throws', async t => {
  const server = net.createServer(onSocket)
  const seen = refusals(t, server)
  const fault = new Error('no')
  const trust = (): boolean => {
    throw fault
  }
  await withServer(t, { server, options: { trust } }, async ({ dial }) => {
    assert.equal((await outcome(dial().end(V2))).text, '')
    assert.deepEqual(
      seen.map(({ error }) => [error.code, error.cause]),
      [['untrusted_peer', fault]],
    )
  })
})

for (const name of ['net', 'tls'] as const) {
  test(`attach() on ${name} at a UNIX socket trusts the peers of "unix"`, async t => {
    const harness = createHarness(t)
    const folder = mkdtempSync(join(tmpdir(), 'proxyprotocol-'))
    const path = join(folder, 'socket')
    const server = attach(kinds[name].create(), { trust: ['unix'] })
    server.listen(path)
    await once(server, 'listening')
    const answer = await kinds[name].ask(new HeaderFirst(harness.dial(path), V2, 'one segment'))
    assert.equal(answer, '192.0.2.1:56324 by nobody')
    server.close()
    await once(server, 'close')
    rmSync(folder, { recursive: true })
  })
}

test('attach() to a server that listens already reads the headers of the connections to come', async t => {
  const harness = createHarness(t)
  const server = http.createServer(onRequest).listen(0, '127.0.0.1')
  await once(server, 'listening')
  assert.equal(attach(server, { trust: 'anyone' }), server)
  const { port } = server.address() as AddressInfo
  assert.match(await askHttp(new HeaderFirst(harness.dial(port), V1, 'one segment')), /^192\.0\.2\.1:/)
  server.close()
  await once(server, 'close')
})

test('attach() gives a failed TLS handshake its client, and closes its socket', async t => {
  const server = tls.createServer(certificate)
  await withServer(t, { server }, async ({ dial }) => {
    const failed = once(server, 'tlsClientError') as Promise<[Error, tls.TLSSocket]>
    const socket = dial()
    socket.end(Buffer.concat([V2, Buffer.from('GET / HTTP/1.1\r\n\r\n')]))
    const [, secure] = await failed
    assert.equal(secure.remoteAddress, '192.0.2.1')
    await outcome(socket)
    assert.equal(secure.destroyed, true)
  })
})

test('attach() leaves TLS sockets alone that did not come through it', async t => {
  await withServer(t, { server: tls.createServer(certificate) }, async ({ server }) => {
    const stranger = new tls.TLSSocket(new net.Socket())
    const [seen] = await Promise.all([
      once(server, 'secureConnection'),
      Promise.resolve().then(() => server.emit('secureConnection', stranger)),
    ])
    assert.deepEqual([seen[0] === stranger, connectionInfo(stranger)], [true, undefined])
    stranger.destroy()
  })
})

test('attach() keeps maxConnections and drop, which count connections that wait as well', async t => {
  const server = http.createServer(onRequest)
  server.maxConnections = 1
  await withServer(t, { server }, async ({ dial }) => {
    const first = dial()
    await once(first, 'connect')
    await turns(5)
    const dropped = once(server, 'drop')
    const second = dial()
    await dropped
    second.destroy()
    first.destroy()
  })
})

test('attach() keeps pauseOnConnect: nothing flows until the socket is resumed', async t => {
  const harness = createHarness(t)
  const server = attach(net.createServer({ pauseOnConnect: true }), { trust: 'anyone' })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[net.Socket]>
  const client = harness.dial((server.address() as AddressInfo).port)
  client.end(Buffer.concat([V2, Buffer.from('early')]))
  const [socket] = await accepted
  let text = ''
  socket.on('data', chunk => (text += String(chunk)))
  await turns(10)
  assert.equal(text, '')
  await once(socket.resume(), 'end')
  assert.equal(text, 'early')
  socket.destroy()
  server.close()
  await once(server, 'close')
})

test('connectionInfo() finds the connection of an HTTP/2 stream and of its session', async t => {
  const server = http2.createServer()
  server.on('stream', stream => {
    const found = [connectionInfo(stream), connectionInfo({ socket: stream.session?.socket })]
    stream.end(found.map(info => JSON.stringify(info?.source)).join())
  })
  await withServer(t, { server }, async ({ behind }) => {
    const source = '{"address":"192.0.2.1","port":56324}'
    assert.equal(await askHttp2(() => behind(V2)), `${source},${source}`)
  })
})

test('attach() names the option that is wrong, and is called once for a server', () => {
  const server = net.createServer()
  const refused: readonly (readonly [options: unknown, message: RegExp])[] = [
    [{}, /^trust must be/],
    [{ trust: 'anyone', version: 'none' }, /^version must be/],
    [{ trust: 'anyone', timeouts: { header: -1 } }, /^timeouts\.header must be/],
    [
      { trust: 'anyone', limits: { pendingHeaders: 0 } },
      /^limits\.pendingHeaders must be a positive integer or Infinity, got 0$/,
    ],
    [{ trust: 'anyone', limits: { headerBytes: 1 } }, /^limits\.headerBytes must be/],
  ]
  for (const options of [undefined, null, 'anyone'])
    assert.throws(() => attach(server, untyped(options)), { message: /^options must be an object, got / })
  const ours = createServer({ trust: 'anyone' }, () => undefined)
  for (const stranger of [() => undefined, ours, undefined, null, {}]) {
    assert.throws(() => attach(untyped(stranger), { trust: 'anyone' }), {
      name: 'TypeError',
      message: /^server must be a server of node:net, tls, http, https or http2, got /,
    })
  }
  for (const [options, message] of refused) assert.throws(() => attach(server, untyped(options)), { message })
  attach(server, { trust: 'anyone' })
  assert.throws(() => attach(server, { trust: 'anyone' }), {
    message: 'attach() was called on this server before',
  })
})
