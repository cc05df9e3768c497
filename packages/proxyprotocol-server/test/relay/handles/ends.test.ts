// Ends, resets and silence of connections on handles.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { content, until } from 'test-support/sockets'
import { Flow } from '../../../src/relay/tunnel/handles/flow.ts'
import { giveBuffer, takeBuffer } from '../../../src/relay/tunnel/read-buffers.ts'
import {
  chunk,
  dial,
  listen,
  MEBIBYTE,
  outcome,
  random,
  sha256,
  type Listener,
} from '../../support/connections.ts'
import { connectionOf, flowsOf, startOnHandles } from '../../support/handles.ts'
import { holdName } from '../../support/names.ts'
import { split } from '../../support/relay-bytes.ts'
import type { TestRelay } from '../../support/relay.ts'
import { atEnd } from '../../support/teardown.ts'

/** More than the kernel holds. */
const BIG = 32 * MEBIBYTE
const HALF_CLOSE = 60_000
/** As libuv has it. */
const EPIPE = -32

interface Begun {
  readonly relay: TestRelay
  readonly client: Socket
  readonly far: Socket
}

async function begun(t: TestContext): Promise<Begun> {
  const upstream = await listen(t)
  const relay = await startOnHandles(t, `127.0.0.1:${upstream.port}?pp=noop`)
  const client = dial(t, relay.port)
  return { relay, client, far: await upstream.accept() }
}

interface Connecting {
  readonly upstream: Listener
  readonly relay: TestRelay
  readonly client: Socket
  readonly connect: () => void
}

/** A client whose upstream's name is being looked up. */
async function connecting(t: TestContext): Promise<Connecting> {
  const upstream = await listen(t)
  const name = holdName(t, 'upstream.test')
  const relay = await startOnHandles(t, `upstream.test:${upstream.port}`)
  const client = dial(t, relay.port)
  await name.asked
  return { upstream, relay, client, connect: () => name.answer('127.0.0.1') }
}

for (const payload of ['', 'hello']) {
  const what = payload === '' ? 'alone' : 'after its payload'
  test(`a FIN that comes ${what} while the upstream is connecting passes when it is connected`, async t => {
    const { upstream, relay, client, connect } = await connecting(t)
    client.end(payload)
    await until(() => flowsOf(relay).up.hasEnded)
    connect()
    const far = await upstream.accept()
    assert.equal(split(await content(far)).payload.toString(), payload)
    far.end('reply')
    assert.equal((await content(client)).toString(), 'reply')
    const { reason, bytesUp } = await relay.record()
    assert.deepEqual([reason, bytesUp], ['done', payload.length])
  })
}

test('payload that came in pieces while the upstream was connecting leaves with the header in one write', async t => {
  const { upstream, relay, client, connect } = await connecting(t)
  client.write('first ')
  await until(() => connectionOf(relay).activity === 'first '.length)
  client.write('second')
  await until(() => connectionOf(relay).activity === 'first second'.length)
  connect()
  const { payload } = split(await chunk(await upstream.accept()))
  assert.equal(payload.toString(), 'first second')
})

test('a client that sends much while the upstream is connecting is read no further than a buffer', async t => {
  const { upstream, relay, client, connect } = await connecting(t)
  const payload = random(MEBIBYTE)
  client.end(payload)
  await until(() => Number(connectionOf(relay).activity) >= 16 * 1024)
  assert.ok(Number(connectionOf(relay).activity) <= 32 * 1024)
  connect()
  assert.equal(sha256(split(await content(await upstream.accept())).payload), sha256(payload))
})

test('a reset behind the data that came while the upstream was connecting is not an end', async t => {
  const { upstream, relay, client, connect } = await connecting(t)
  client.write('the last')
  await until(() => connectionOf(relay).activity === 'the last'.length)
  client.resetAndDestroy()
  const { reason } = await relay.record()
  assert.equal(reason, 'client_reset')
  connect()
  dial(t, upstream.port)
  await upstream.accept()
  assert.equal(upstream.accepted, 1, 'the upstream saw an attempt that was given up')
})

test('a reset behind a FIN is not an end, in either direction', async t => {
  for (const side of ['client', 'upstream'] as const) {
    const { relay, client, far } = await begun(t)
    client.write('hello')
    await chunk(far)
    const [failing, other] = side === 'client' ? [client, far] : [far, client]
    const cut = outcome(other)
    failing.end('the last', () => failing.resetAndDestroy())
    assert.equal((await cut).error, 'ECONNRESET')
    assert.equal((await relay.record()).reason, `${side}_reset`)
  }
})

test('a client that reads late gets all that the kernel has for it, and an end, when its time is over', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { relay, client, far } = await begun(t)
  const payload = random(200_000)
  far.end(payload)
  await until(() => flowsOf(relay).down.isShut)
  client.write('still here')
  await chunk(far)
  t.mock.timers.tick(HALF_CLOSE)
  assert.equal(relay.records.length, 0, 'a client that sends is not silent')
  t.mock.timers.tick(HALF_CLOSE)
  const { reason, error } = await relay.record()
  assert.equal(reason, 'half_close_timeout')
  assert.match(error?.message ?? '', /the upstream has ended, and the client does not/)
  const { bytes, fin } = await outcome(client)
  assert.deepEqual([sha256(bytes), fin], [sha256(payload), true])
})

test('a client that takes nothing after the upstream has ended is reset when its time is over', async t => {
  const { relay, client, far } = await begun(t)
  far.end(random(BIG))
  await until(() => flowsOf(relay).down.isPending)
  connectionOf(relay).abort('half_close_timeout')
  assert.equal((await relay.record()).reason, 'half_close_timeout')
  assert.equal((await outcome(client)).error, 'ECONNRESET')
})

test('an upstream that takes nothing after both have ended is given up, and the record says so', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { relay, client, far } = await begun(t)
  client.write(random(BIG))
  await until(() => flowsOf(relay).up.isPending)
  far.end()
  await until(() => flowsOf(relay).down.isShut)
  const { up } = flowsOf(relay)
  up.hasEnded = true // as if the kernel had taken the client's last bytes
  t.mock.timers.tick(HALF_CLOSE)
  t.mock.timers.tick(HALF_CLOSE)
  const { reason, error } = await relay.record()
  assert.equal(reason, 'half_close_timeout')
  assert.match(error?.message ?? '', /the upstream does not read/)
})

test('a connection without a byte in either direction ends after its idle timeout', async t => {
  const upstream = await listen(t)
  const relay = await startOnHandles(t, `127.0.0.1:${upstream.port}`, { timeouts: { idle: 20 } })
  const cut = outcome(dial(t, relay.port))
  assert.equal((await relay.record()).reason, 'idle_timeout')
  assert.equal((await cut).error, 'ECONNRESET')
})

test('whichever side does not read stops the other, and gets every byte when it goes on', async t => {
  for (const direction of ['up', 'down'] as const) {
    const { relay, client, far } = await begun(t)
    const [sender, reader] = direction === 'up' ? [client, far] : [far, client]
    const payload = random(BIG)
    sender.end(payload)
    await until(() => flowsOf(relay)[direction].isPending)
    const { bytesUp, bytesDown } = relay.totals()
    assert.ok(Math.max(bytesUp, bytesDown) < BIG)
    assert.equal(sha256(await content(reader)), sha256(payload))
  }
})

test('small messages behind a large one still come through', async t => {
  const { client, far } = await begun(t)
  const large = random(MEBIBYTE)
  client.write(large)
  let received = 0
  far.on('data', (bytes: Buffer) => (received += bytes.length))
  await until(() => received === large.length)
  far.removeAllListeners('data')
  for (let i = 0; i < 20; i++) {
    client.write(`message ${String(i)}`)
    assert.equal((await chunk(far)).toString(), `message ${String(i)}`)
  }
})

test('an upstream that resets while the client stands still ends the connection', async t => {
  const { relay, client, far } = await begun(t)
  client.write(random(BIG))
  await until(() => flowsOf(relay).up.isPending)
  const cut = once(client, 'error')
  far.resetAndDestroy()
  const [error] = (await cut) as [NodeJS.ErrnoException]
  assert.match(String(error.code), /ECONNRESET|EPIPE/)
  assert.equal((await relay.record()).reason, 'upstream_reset')
})

test('a write that fails is a reset of the side that should get it', async t => {
  for (const side of ['client', 'upstream'] as const) {
    const { relay, client, far } = await begun(t)
    far.write('hello')
    await chunk(client)
    const { up, down } = flowsOf(relay)
    const { to } = side === 'client' ? down : up
    assert.ok(to)
    t.mock.method(to, 'writeBuffer', () => EPIPE)
    const sender = side === 'client' ? far : client
    sender.write('lost')
    const { reason, error } = await relay.record()
    assert.equal(reason, `${side}_reset`)
    assert.match((error?.cause as Error).message, /write EPIPE/)
  }
})

test('a first write that the kernel does not take at once is waited for, and the FIN of the client behind it', async t => {
  const { upstream, relay, client, connect } = await connecting(t)
  client.end('hello')
  await until(() => flowsOf(relay).up.hasEnded)
  const { up } = flowsOf(relay)
  const { send } = Flow.prototype // eslint-disable-line @typescript-eslint/unbound-method -- it is called with its flow
  t.mock.method(up, 'send', (bytes: Uint8Array) => {
    send.call(up, bytes)
    up.isPending = true
    setImmediate(() => up.onWritten(0))
    return false
  })
  connect()
  const far = await upstream.accept()
  assert.equal(split(await content(far)).payload.toString(), 'hello')
  far.end()
  client.resume()
  assert.equal((await relay.record()).reason, 'done')
})

test('a first write that fails is a reset of the upstream', async t => {
  const { relay, client, connect } = await connecting(t)
  client.write('hello')
  await until(() => connectionOf(relay).activity === 'hello'.length)
  const { up } = flowsOf(relay)
  t.mock.method(up, 'send', () => {
    up.owner.onWriteError(up, EPIPE)
    return false
  })
  connect()
  assert.equal((await outcome(client)).error, 'ECONNRESET')
  assert.equal((await relay.record()).reason, 'upstream_reset')
})

test('without a large buffer left, bytes go through the shared one', async t => {
  const { client, far } = await begun(t)
  const taken: Buffer[] = []
  for (let buffer = takeBuffer(); buffer; buffer = takeBuffer()) taken.push(buffer)
  atEnd(t, () => {
    for (const buffer of taken) giveBuffer(buffer, false)
  })
  const payload = random(MEBIBYTE)
  client.end(payload)
  assert.equal(sha256(await content(far)), sha256(payload))
})
