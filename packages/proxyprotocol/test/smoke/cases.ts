// What has to hold on every runtime, by the built packages and plain assertions: node:test runs it on Node, run.ts on Deno
// and Bun.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net, { type AddressInfo, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import tls from 'node:tls'
import { decodeHeader, encodeHeader, HeaderDecoder, parseHeader, readTlvs, tlv } from 'proxyprotocol'
import { connect, headerFor } from 'proxyprotocol/client'
import { lookup } from 'proxyprotocol/dnsbl'
import { attach, connectionInfo, createServer, front, readHeader } from 'proxyprotocol/server'
import { certificate } from 'test-support/certificates'
import { startHostileServer } from 'test-support/hostile-name-server'
import { framed, hostileKinds, listing, truncated, type HostileKind } from 'test-support/hostile-replies'
import { content } from 'test-support/sockets'
import { ends, type Ends } from './ends.ts'

type Case = () => Promise<void>

const SOURCE = { address: '192.0.2.1', port: 56324 }
const HEADER = { source: SOURCE, destination: { address: '198.51.100.7', port: 443 } }
const trust = ['127.0.0.1']
const SEEN = '192.0.2.1:56324 by 127.0.0.1'

/** The client's address as a server's own code sees it, and the peer behind it. */
function seen({ remoteAddress, remotePort }: net.Socket, from: object): string {
  const peer = connectionInfo(from)?.via.peer
  return `${remoteAddress}:${remotePort} by ${peer && 'address' in peer ? peer.address : 'nobody'}`
}

function onRequest(
  request: http.IncomingMessage | http2.Http2ServerRequest,
  response: { end(text: string): unknown },
): void {
  response.end(seen(request.socket, request))
}

function onSocket(socket: net.Socket): void {
  socket.on('error', () => {})
  socket.once('data', () => socket.end(seen(socket, socket)))
}

async function secure(socket: net.Socket, protocol?: string): Promise<tls.TLSSocket> {
  const offer = protocol === undefined ? {} : { ALPNProtocols: [protocol] }
  const stream = tls.connect({ socket, rejectUnauthorized: false, ...offer })
  await once(stream, 'secureConnect')
  stream.on('error', () => {})
  return stream
}

async function askPlain(stream: net.Socket): Promise<string> {
  stream.write('hi')
  return text(stream)
}

async function askHttp(stream: net.Socket): Promise<string> {
  stream.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
  const answer = await text(stream)
  return answer.slice(answer.indexOf('\r\n\r\n') + 4)
}

async function askHttp2(stream: net.Socket): Promise<string> {
  const session = http2.connect('http://localhost', { createConnection: () => stream })
  session.on('error', () => {}) // the request fails with it
  const answer = await text(session.request({ ':path': '/' }))
  session.close()
  return answer
}

/** Every kind of server: how to make one, and how to ask it. */
const kinds: Record<string, { make: () => Server; ask: (socket: net.Socket) => Promise<string> }> = {
  net: { make: () => net.createServer(onSocket), ask: askPlain },
  h2c: { make: () => http2.createServer(onRequest), ask: askHttp2 },
  http: { make: () => http.createServer(onRequest), ask: askHttp },
  tls: { make: () => tls.createServer(certificate, onSocket), ask: async s => askPlain(await secure(s)) },
  https: {
    make: () => https.createServer(certificate, onRequest),
    ask: async socket => askHttp(await secure(socket)),
  },
  http2: {
    make: () => http2.createSecureServer({ ...certificate, allowHTTP1: true }, onRequest),
    ask: async socket => askHttp2(await secure(socket, 'h2')),
  },
}

/** What attach() protects on Bun. */
const attachableOnBun = ['net', 'h2c']

/** The cases by their rules, for a runtime by its versions. */
export function smokeCases({
  bun,
  deno,
}: Readonly<Record<string, string | undefined>>): Record<string, Case> {
  const cases: Record<string, (ends: Ends) => Promise<void>> = { ...plain }
  if (deno === undefined) cases['front() passes on resets both ways'] = passResets
  for (const [where, [kind, ends]] of Object.entries(nameServers)) {
    cases[`lookup() asks a name server ${where}`] = async ({ defer }) => {
      const server = await startHostileServer(kind)
      defer(() => server.close())
      const found = await lookup('192.0.2.1', 'bl.example', { servers: [server.address], timeout: 300 })
      assert.equal(found.status === 'unknown' ? found.reason : found.status, ends)
    }
  }
  for (const [name, { make, ask }] of Object.entries(kinds)) {
    if (bun === undefined || attachableOnBun.includes(name)) {
      cases[`attach() on ${name} shows the client`] = async ({ dial, defer }) => {
        const server = attach(make(), { trust }).listen(0, '127.0.0.1')
        await once(server, 'listening')
        defer(() => server.close())
        assert.equal(await ask(await dial(server.address() as AddressInfo, HEADER)), SEEN)
      }
    } else {
      cases[`attach() on ${name} refuses and names front()`] = async () => {
        assert.throws(() => attach(make(), { trust }), { message: /put front\(\) in front/ })
      }
    }
    cases[`front() of ${name} shows the client, and does not answer what comes past it`] = async ends => {
      const target = make()
      const server = front(target, { trust })
      const where = (await server.listen(0, '127.0.0.1')) as AddressInfo
      ends.defer(() => server.abort())
      assert.equal(await ask(await ends.dial(where, HEADER)), SEEN)
      const stranger = await ends.dial(target.address() as AddressInfo)
      assert.equal(await ask(stranger).catch(() => ''), '')
      await server.close()
      assert.deepEqual([server.stats().closed.done, target.listening], [1, false])
    }
  }
  return Object.fromEntries(Object.entries(cases).map(([name, run]) => [name, () => ends(run)]))
}

const plain: Record<string, (ends: Ends) => Promise<void>> = {
  'a header comes back as it was encoded': async () => {
    for (const version of [1, 2] as const) {
      const bytes = encodeHeader({ ...HEADER, version })
      const header = parseHeader(bytes)
      assert.deepEqual('source' in header && header.source, SOURCE)
      assert.equal(decodeHeader(bytes.subarray(0, 10)).status, 'partial')
    }
    const bytes = encodeHeader({ ...HEADER, tlvs: [tlv.authority('a.test')] }, { checksum: true })
    assert.equal(readTlvs(parseHeader(bytes)).authority, 'a.test')
  },

  'HeaderDecoder takes a header byte by byte, and keeps what follows': async () => {
    const decoder = new HeaderDecoder()
    const bytes = encodeHeader(HEADER)
    for (const byte of bytes.subarray(0, -1)) {
      assert.equal(decoder.push(Uint8Array.of(byte)).status, 'partial')
    }
    assert.equal(decoder.push(new Uint8Array([...bytes.subarray(-1), 104, 105])).status, 'header')
    assert.equal(new TextDecoder().decode(decoder.rest), 'hi')
  },

  'readHeader() gives the header and what came with it': async ({ dial, defer }) => {
    const server = net.createServer(socket => {
      void readHeader(socket).then(({ header, rest }) => {
        socket.unshift(rest)
        socket.once('data', data => socket.end(`${header.command} ${String(data)}`))
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    defer(() => server.close())
    assert.equal(await askPlain(await dial(server.address() as AddressInfo, HEADER)), 'PROXY hi')
  },

  'createServer() awaits its handler, and close() waits for it': async ({ defer }) => {
    let finish = (): void => {}
    const finished = new Promise<void>(resolve => (finish = resolve))
    const server = createServer({ trust }, async ({ socket, info, signal }) => {
      assert.deepEqual([socket.remoteAddress, info.source], [SOURCE.address, SOURCE])
      await pipeline(socket, socket, { signal })
      await finished
    })
    defer(() => server.abort())
    const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
    const client = await connect({ host: '127.0.0.1', port }, HEADER)
    client.end('hello')
    assert.equal(await text(client), 'hello')
    const closing = server.close()
    assert.equal(server.stats().active, 1)
    finish()
    assert.deepEqual(await closing, { drained: 1, forced: 0, stuck: [] })
    assert.equal(server.stats().closed.done, 1)
  },

  'createServer() resets the connection of a handler that fails, and tells onError': async ({ defer }) => {
    const faults: unknown[] = []
    const fault = new Error('a fault')
    const onError = (error: unknown): unknown => faults.push(error)
    const server = createServer({ trust, onError }, () => Promise.reject(fault))
    defer(() => server.abort())
    const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
    const client = await connect({ host: '127.0.0.1', port }, HEADER)
    await assert.rejects(text(client), { code: 'ECONNRESET' })
    await server.close()
    assert.deepEqual(faults, [fault])
  },

  'createServer() aborts the signal when the client resets': async ({ defer }) => {
    let aborted: (reason: unknown) => void = () => {}
    const reason = new Promise<unknown>(resolve => (aborted = resolve))
    const server = createServer({ trust }, async ({ socket, signal }) => {
      const end = once(signal, 'abort')
      socket.once('data', () => socket.write('go'))
      await end
      aborted(signal.reason)
    })
    defer(() => server.abort())
    const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
    const client = await connect({ host: '127.0.0.1', port }, HEADER)
    client.write('ready')
    await once(client, 'data')
    client.resetAndDestroy()
    assert.equal(((await reason) as { code: string }).code, 'client_reset')
  },

  'createServer() turns away who is not trusted': async ({ defer }) => {
    const server = createServer({ trust: ['192.0.2.0/24'] }, () => assert.fail('it was let in'))
    defer(() => server.abort())
    const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
    const client = await connect({ host: '127.0.0.1', port }, HEADER)
    client.on('error', () => {}).resume()
    await new Promise(resolve => client.once('close', resolve))
    await server.close()
    assert.equal(server.stats().closed.untrusted_peer, 1)
  },

  "TLS that a program starts on an accepted socket is the client's": async ({ dial, defer }) => {
    const onSecure = (socket: tls.TLSSocket): void => {
      // Bun (1.4) asks no handle for the address of such a socket.
      const shown = 'bun' in process.versions ? SOURCE.address : socket.remoteAddress
      const { source } = headerFor(socket) as { source?: unknown }
      socket.end(JSON.stringify([shown, connectionInfo(socket)?.source, source]))
    }
    const starter = tls.createServer(certificate, onSecure)
    const server = attach(
      net.createServer(raw => starter.emit('connection', raw)),
      { trust },
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    defer(() => server.close())
    const stream = await secure(await dial(server.address() as AddressInfo, HEADER))
    assert.deepEqual(JSON.parse(await text(stream)), [SOURCE.address, SOURCE, SOURCE])
  },

  'front() relays both ways to the last byte, with half-closed ends': async ends => {
    const payload = Buffer.alloc(8 << 20, 'payload')
    const { client, socket } = await behindFront(ends)
    client.end(payload)
    assert.ok((await content(socket)).equals(payload))
    socket.end(payload)
    assert.ok((await content(client)).equals(payload))
  },

  'lookup() takes a resolver': async () => {
    const resolver = { resolve4: () => Promise.resolve(['127.0.0.4']) }
    const { status } = await lookup('192.0.2.1', 'zen.spamhaus.org', { resolver })
    assert.equal(status, 'listed')
  },
}

/** By the kind of the name server, what its answer says. */
const nameServers: Readonly<Record<string, readonly [kind: HostileKind, ends: string]>> = {
  'over UDP': [{ datagrams: query => [listing(query)], ends: '' }, 'listed'],
  'over TCP': [{ datagrams: truncated, stream: query => framed(listing(query)), ends: '' }, 'listed'],
  'that fails': [{ datagrams: query => [listing(query, { flags: 2 })], ends: '' }, 'server_failure'],
  'that answers by another id': [hostileKinds['another id'], 'timeout'],
  'that answers from another port': [hostileKinds['a reply from another port'], 'timeout'],
}

/** A client of a front, and the socket of its target that stands for it, both half-open. */
async function behindFront({ dial, defer }: Ends): Promise<{ client: net.Socket; socket: net.Socket }> {
  const target = net.createServer({ allowHalfOpen: true })
  const server = front(target, { trust })
  const where = (await server.listen(0, '127.0.0.1')) as AddressInfo
  defer(() => server.abort())
  const accepted = once(target, 'connection') as Promise<[net.Socket]>
  const client = await dial(where, HEADER, true)
  const [socket] = await accepted
  socket.on('error', () => {})
  // Both ends have read once, so that a reset meets an established connection.
  client.write('hi')
  await once(socket, 'readable')
  assert.equal(String(socket.read(2)), 'hi')
  socket.write('hi')
  await once(client, 'readable')
  assert.equal(String(client.read(2)), 'hi')
  return { client, socket }
}

/** Not on Deno (2.9), where `destroy(error)` sends a FIN. */
async function passResets(ends: Ends): Promise<void> {
  for (const from of ['client', 'socket'] as const) {
    const pair = await behindFront(ends)
    const to = pair[from === 'client' ? 'socket' : 'client']
    const failed = new Promise<NodeJS.ErrnoException>(resolve => to.resume().once('error', resolve))
    pair[from].resetAndDestroy()
    assert.equal((await failed).code, 'ECONNRESET')
  }
}
