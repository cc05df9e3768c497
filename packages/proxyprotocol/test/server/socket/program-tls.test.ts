// TLS that a program starts itself on a socket that this library has accepted: every TLS socket over it is the client's too.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { test } from 'node:test'
import tls, { TLSSocket } from 'node:tls'
import { certificate } from 'test-support/certificates'
import { until } from 'test-support/sockets'
import { headerFor } from '../../../src/client/index.ts'
import { connectionInfo, front, isSecure, type Connected } from '../../../src/server/index.ts'
import { listenAttached } from '../../support/attached.ts'
import { DESTINATION, encode, LOCAL, SOURCE, V1, V2 } from '../../support/headers.ts'
import { secureOver } from '../../support/secure.ts'
import { createHarness, type Harness } from '../../support/harness.ts'

/** What a TLS socket says of its client. */
interface Seen {
  readonly shown: readonly unknown[]
  readonly address: unknown
  readonly source: unknown
  readonly via: unknown
  readonly secure: boolean
  readonly header: unknown
}

/** The type of the first record that a TLS client sends (RFC 8446 section 5.1). */
const TLS_HANDSHAKE = 0x16
const secureContext = tls.createSecureContext(certificate)

function look(secure: TLSSocket): Seen {
  const { remoteAddress, remotePort, remoteFamily, localAddress, localPort, localFamily } = secure
  const info = connectionInfo(secure)
  const { source, destination } = headerFor(secure) as { source?: unknown; destination?: unknown }
  return {
    shown: [remoteAddress, remotePort, remoteFamily, localAddress, localPort, localFamily],
    address: secure.address(),
    source: info?.source,
    via: (info?.via.peer as { address: string } | undefined)?.address,
    secure: isSecure(secure),
    header: { source, destination },
  }
}

const CLIENT: Seen = {
  shown: [SOURCE.address, SOURCE.port, 'IPv4', DESTINATION.address, DESTINATION.port, 'IPv4'],
  address: { ...DESTINATION, family: 'IPv4' },
  source: SOURCE,
  via: '127.0.0.1',
  secure: true,
  header: { source: SOURCE, destination: DESTINATION },
}

type Secured = (secure: TLSSocket) => void

/** The ways in which a program starts TLS on a socket. */
const starts: Readonly<Record<string, (raw: Socket, onSecure: Secured) => void>> = {
  'new TLSSocket()': (raw, onSecure) => {
    const secure = new TLSSocket(raw, { isServer: true, secureContext })
    secure.on('error', () => {}).once('secure', () => onSecure(secure))
  },
  "a tls.Server's 'connection'": (raw, onSecure) => {
    const server = tls.createServer(certificate, onSecure)
    server.emit('connection', raw)
  },
  STARTTLS: (raw, onSecure) => {
    raw.once('data', () => {
      raw.write('ready')
      const secure = new TLSSocket(raw, { isServer: true, secureContext })
      secure.on('error', () => {}).once('secure', () => onSecure(secure))
    })
  },
  'TLS within TLS': (raw, onSecure) => {
    const outer = new TLSSocket(raw, { isServer: true, secureContext })
    const inner = new TLSSocket(outer, { isServer: true, secureContext })
    for (const each of [outer, inner]) each.on('error', () => {})
    inner.once('secure', () => onSecure(inner))
  },
}

type Take = (raw: Socket) => void

/** Where the socket comes from; each gives where to connect to. */
const doors: Readonly<Record<string, (harness: Harness, take: Take) => Promise<number | string>>> = {
  'attach()': async (harness, take) =>
    (await listenAttached(harness, net.createServer(take), { trust: ['127.0.0.1'] })).port,
  'createServer()': async (harness, take) => {
    const { port } = await harness.serve(async ({ socket }) => {
      take(socket)
      await once(socket, 'close')
    })
    return port
  },
  'detach()': async (harness, take) => (await harness.serve(connection => take(connection.detach()))).port,
  'a UNIX path': async (harness, take) => {
    const folder = mkdtempSync(join(tmpdir(), 'proxyprotocol-'))
    harness.defer(() => rmSync(folder, { recursive: true }))
    const at = join(folder, 'socket')
    await listenAttached(harness, net.createServer(take), { at })
    return at
  },
  'the target of front()': async (harness, take) => {
    const server = harness.watch(front(net.createServer(take), { trust: ['127.0.0.1'] }))
    return ((await server.listen(0, '127.0.0.1')) as AddressInfo).port
  },
}

/** Speaks TLS as the start wants it, over a socket that has sent its header. */
async function speak(harness: Harness, raw: Socket, start: string): Promise<void> {
  if (start === 'STARTTLS') {
    raw.write('STARTTLS')
    await once(raw, 'data')
  }
  const { secure } = secureOver(harness, raw)
  if (start === 'TLS within TLS') secureOver(harness, secure)
}

/** Serves one connection over TLS that the program starts, and gives what its socket says. */
async function see(
  harness: Harness,
  start: string,
  { door = 'attach()', header = V2 }: { readonly door?: string; readonly header?: Uint8Array } = {},
): Promise<Seen> {
  const seen: Seen[] = []
  const where = await doors[door]?.(harness, raw => {
    raw.on('error', () => {})
    starts[start]?.(raw, secure => {
      seen.push(look(secure))
      secure.destroy()
    })
  })
  const raw = harness.dial(where ?? assert.fail())
  raw.write(header)
  await speak(harness, raw, start)
  await until(() => seen.length > 0)
  return seen[0] ?? assert.fail()
}

for (const door of ['attach()', 'createServer()', 'detach()', 'the target of front()']) {
  for (const start of Object.keys(starts)) {
    test(`TLS over a socket of ${door}, started by ${start}, is the client's`, async t => {
      assert.deepEqual(await see(createHarness(t), start, { door }), CLIENT)
    })
  }
}

test('TLS over a socket on a UNIX path is the client that the header announces', async t => {
  assert.deepEqual(await see(createHarness(t), 'STARTTLS', { door: 'a UNIX path' }), {
    ...CLIENT,
    via: undefined,
  })
})

test('TLS over a socket whose header announces no address shows what the socket shows', async t => {
  const harness = createHarness(t)
  const local = await see(harness, 'STARTTLS', { header: LOCAL })
  assert.equal(local.shown[0], '127.0.0.1')
  assert.equal(local.via, '127.0.0.1')
  const ends = { source: { path: '/client' }, destination: { path: '/server' } }
  const unix = await see(harness, 'STARTTLS', { header: encode(ends) })
  assert.deepEqual(unix.shown, [undefined, undefined, undefined, undefined, undefined, undefined])
  assert.deepEqual([unix.source, unix.via], [ends.source, '127.0.0.1'])
})

test("https and http on one port: requests of both are the client's", async t => {
  const harness = createHarness(t)
  const onRequest = (
    { socket }: Connected & { readonly socket: Socket },
    response: http.ServerResponse,
  ): void => {
    const { source } = headerFor(socket) as { source?: unknown }
    const { remoteAddress, remotePort } = socket
    const known = connectionInfo({ socket })?.source
    response.end(JSON.stringify([remoteAddress, remotePort, known, source, isSecure(socket)]))
  }
  const plain = http.createServer(onRequest)
  const secured = https.createServer(certificate, onRequest)
  const either = net.createServer(socket => {
    socket.once('data', (first: Buffer) => {
      socket.pause()
      socket.unshift(first)
      const target: Server = first[0] === TLS_HANDSHAKE ? secured : plain
      target.emit('connection', socket)
      process.nextTick(() => socket.resume())
    })
  })
  const { port } = await listenAttached(harness, either)
  for (const isSecured of [false, true]) {
    const raw = harness.dial(port)
    raw.write(V1)
    const stream = isSecured ? secureOver(harness, raw).secure : raw
    stream.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    const [, body = ''] = (await textOf(stream)).split('\r\n\r\n')
    assert.deepEqual(JSON.parse(body), [SOURCE.address, SOURCE.port, SOURCE, SOURCE, isSecured])
  }
})

test("the TLS socket of a server behind attach() is the client's before its handshake ends", async t => {
  const harness = createHarness(t)
  const early: unknown[] = []
  const server = tls.createServer({
    ...certificate,
    SNICallback(this: TLSSocket, _name: string, done: (error: null) => void) {
      early.push(this.remoteAddress, connectionInfo(this)?.source)
      done(null)
    },
  })
  server.on('secureConnection', secure => secure.end('hello'))
  const { port } = await listenAttached(harness, server)
  const raw = harness.dial(port)
  raw.write(V2)
  assert.equal(await textOf(secureOver(harness, raw).secure), 'hello')
  assert.deepEqual(early, [SOURCE.address, SOURCE])
})

test('TLS over a socket of the target of front() that no client is known of yet shows no address, and later the client', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const target = net.createServer(raw => {
    const secure = new TLSSocket(raw, { isServer: true, secureContext })
    seen.push(secure.remoteAddress)
    secure
      .on('error', () => {})
      .once('secure', () => {
        seen.push(secure.remoteAddress)
        secure.destroy()
      })
  })
  const server = harness.watch(front(target, { trust: ['127.0.0.1'] }))
  const raw = harness.dial(((await server.listen(0, '127.0.0.1')) as AddressInfo).port)
  raw.write(V2)
  secureOver(harness, raw)
  await until(() => seen.length === 2)
  assert.deepEqual(seen, [undefined, SOURCE.address])
})

test('the handle of an admitted socket says what the kernel says of whether the connection stands', async t => {
  const harness = createHarness(t)
  const accepted: Socket[] = []
  const { port } = await listenAttached(
    harness,
    net.createServer(socket => accepted.push(socket)),
  )
  const raw = harness.dial(port)
  raw.write(V2)
  await until(() => accepted.length === 1)
  const { _handle: handle } = accepted[0] as unknown as { _handle: { getpeername(out: object): number } }
  const out = {}
  assert.equal(handle.getpeername(out), 0)
  assert.deepEqual(out, { ...SOURCE, family: 'IPv4' })
  raw.resetAndDestroy()
  await until(() => handle.getpeername({}) !== 0) // the kernel's ENOTCONN
  assert.deepEqual(connectionInfo(accepted[0] ?? assert.fail())?.source, SOURCE)
})
