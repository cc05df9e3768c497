import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { content } from 'test-support/sockets'
import { peekClientHello, type PeekOptions } from '../../../src/relay/passthrough/peek.ts'
import { clientHello, helloWith, record } from '../../support/client-hello.ts'
import { chunk, pair } from '../../support/connections.ts'

interface Peeked {
  readonly client: Socket
  readonly socket: Socket
  readonly hello: ReturnType<typeof peekClientHello>
}

async function peek(t: TestContext, options: Partial<PeekOptions> = {}): Promise<Peeked> {
  const [client, socket] = await pair(t)
  const hello = peekClientHello(socket, { timeout: 60_000, signal: new AbortController().signal, ...options })
  return { client, socket, hello }
}

async function assertQuiet(socket: Socket): Promise<void> {
  await new Promise(setImmediate)
  for (const event of ['readable', 'end']) assert.ok(socket.listenerCount(event) <= 1, event)
}

test('peeking leaves every byte of the hello and of what follows it in the socket, in order', async t => {
  const { client, socket, hello } = await peek(t)
  const bytes = await clientHello({ servername: 'a.example' })
  client.end(Buffer.concat([bytes, Buffer.from('more')]))
  assert.equal((await hello).hello?.serverName, 'a.example')
  assert.deepEqual(await content(socket), Buffer.concat([bytes, Buffer.from('more')]))
})

test('a hello that comes byte by byte is the same, and read() gives it in one piece', async t => {
  const { client, socket, hello } = await peek(t)
  const bytes = await clientHello({ servername: 'a.example' })
  for (const byte of bytes) {
    client.write(Uint8Array.of(byte))
    await new Promise(setImmediate)
  }
  assert.equal((await hello).hello?.serverName, 'a.example')
  assert.deepEqual(socket.read(bytes.length), bytes)
  client.write('more')
  assert.equal((await chunk(socket)).toString(), 'more')
  await assertQuiet(socket)
})

test('a hello whose bytes and FIN were there before is read all the same', async t => {
  const [client, socket] = await pair(t)
  const bytes = helloWith([])
  client.end(bytes)
  socket.read(0)
  while (socket.readableLength < bytes.length) await new Promise(setImmediate)
  await peekClientHello(socket, { timeout: 60_000, signal: new AbortController().signal })
  assert.deepEqual(await content(socket), bytes)
})

test('a client that ends without a byte is a probe, also when it had ended before', async t => {
  const { client, socket, hello } = await peek(t)
  client.end()
  await assert.rejects(hello, { code: 'probe' })
  await assertQuiet(socket)
  const signal = new AbortController().signal
  await assert.rejects(peekClientHello(socket, { timeout: 60_000, signal }), { code: 'probe' })
})

test('a client that ends in the middle of its hello has failed', async t => {
  const { client, hello } = await peek(t)
  client.end(Uint8Array.of(22, 3, 1))
  await assert.rejects(hello, { code: 'tls_client_error', message: /the client ended after 3 bytes/ })
})

test('what is not a hello is refused with what it is instead', async t => {
  const { client, socket, hello } = await peek(t)
  client.write('GET / HTTP/1.1\r\n')
  await assert.rejects(hello, {
    code: 'tls_client_error',
    message:
      /no ClientHello, as its record has the type 71, not 22; it starts with "GET \/ HTTP\/1\.1\\r\\n"/,
  })
  await assertQuiet(socket)
})

test('a hello that says it goes on beyond 16 KiB is refused before it has come', async t => {
  const { client, hello } = await peek(t)
  client.write(record(Uint8Array.of(1, 0, 0x3f, 0xff)).subarray(0, 9))
  client.write(record(Buffer.alloc(16_384)).subarray(0, 5))
  await assert.rejects(hello, { code: 'tls_client_error', message: /it is too long/ })
})

test('the deadline is absolute, however steadily bytes come', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { client, socket, hello } = await peek(t, { timeout: 5_000 })
  for (const byte of [22, 3, 1]) {
    client.write(Uint8Array.of(byte))
    await once(socket, 'readable')
    t.mock.timers.tick(1_600)
  }
  t.mock.timers.tick(200)
  await assert.rejects(hello, {
    code: 'tls_client_error',
    message: /3 bytes of a ClientHello had come after 5000 ms/,
  })
})

test("an abort ends it with the signal's reason, also one that came before", async t => {
  const controller = new AbortController()
  const { socket, hello } = await peek(t, { signal: controller.signal })
  const reason = new Error('enough')
  controller.abort(reason)
  await assert.rejects(hello, reason)
  await assert.rejects(peekClientHello(socket, { timeout: 60_000, signal: controller.signal }), reason)
  await assertQuiet(socket)
})

test('after the silence a client counts as one without TLS, unless it has begun a ClientHello', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  for (const [first, status] of [
    ['', 'other'],
    ['\0\0\0', 'other'],
    ['\x16\x03', 'hello'],
  ] as const) {
    const { client, socket, hello } = await peek(t, { silence: 1_000 })
    const rest = first === '\x16\x03' ? helloWith([]).subarray(2) : Buffer.from('more')
    if (first !== '') {
      client.write(first, 'latin1')
      await once(socket, 'readable')
    }
    t.mock.timers.tick(1_000)
    client.end(rest)
    assert.equal((await hello).hello === undefined ? 'other' : 'hello', status)
    assert.deepEqual(await content(socket), Buffer.concat([Buffer.from(first, 'latin1'), rest]))
  }
})
