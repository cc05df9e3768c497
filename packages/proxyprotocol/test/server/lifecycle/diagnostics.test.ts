// What is published of each connection, by createServer() and by attach() alike.

import assert from 'node:assert/strict'
import { Channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { gate } from 'test-support/gate'
import { outcome, until } from 'test-support/sockets'
import {
  attach,
  createServer,
  diagnosticsChannels,
  type ClosedMessage,
  type RejectedMessage,
} from '../../../src/server/index.ts'
import { SOURCE, V2 } from '../../support/headers.ts'
import { opened, over, readToEnd, createHarness } from '../../support/harness.ts'

type Told = Partial<RejectedMessage & ClosedMessage> & { readonly name: string }

/** Everything that is published until the test ends, in order. */
function listen(t: TestContext): Told[] {
  const told: Told[] = []
  for (const [name, channel] of Object.entries(diagnosticsChannels)) {
    const onMessage = (message: unknown): void => void told.push({ name, ...(message as Omit<Told, 'name'>) })
    subscribe(channel, onMessage)
    t.after(() => unsubscribe(channel, onMessage))
  }
  return told
}

function reasonsOf(told: readonly Told[]): unknown[] {
  return told.map(({ name, reason }) => [name, reason])
}

test('a connection is told as accepted, opened and closed, each with its server, itself and what is known then', async t => {
  const harness = createHarness(t)
  const told = listen(t)
  const served = await harness.serve(readToEnd)
  await outcome(harness.dial(served.port).end(V2))
  await over(served, 1)
  assert.deepEqual(
    told.map(({ name, info, reason }) => [name, info?.header !== undefined, reason]),
    [
      ['accepted', false, undefined],
      ['opened', true, undefined],
      ['closed', true, 'done'],
    ],
  )
  const [{ connection } = {}] = told
  assert.ok(connection)
  assert.ok(told.every(message => message.server === served.server && message.connection === connection))
  assert.deepEqual(told[1]?.info?.source, SOURCE)
})

test('a connection that is refused is told as rejected with its error, then as closed', async t => {
  const harness = createHarness(t)
  const told = listen(t)
  const served = await harness.serve(readToEnd)
  await outcome(harness.dial(served.port).end('GET / HTTP/1.1\r\n\r\n'))
  await over(served, 1)
  assert.deepEqual(
    told.map(({ name, error, reason }) => [name, error?.code ?? reason]),
    [
      ['accepted', undefined],
      ['rejected', 'header_missing'],
      ['closed', 'header_missing'],
    ],
  )
})

test('a check that closes without a byte is told as accepted and closed, and not as rejected', async t => {
  const harness = createHarness(t)
  const told = listen(t)
  const served = await harness.serve(readToEnd)
  await outcome(harness.dial(served.port).end())
  await over(served, 1)
  assert.deepEqual(reasonsOf(told), [
    ['accepted', undefined],
    ['closed', 'probe'],
  ])
})

test('the message about the end says whether the connection was served', async t => {
  const harness = createHarness(t)
  const told = listen(t)
  const server = harness.watch(createServer({ trust: 'anyone' }, connection => connection.abort()))
  const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
  for (const bytes of [V2, Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.of()]) {
    await outcome(harness.dial(port).end(bytes))
  }
  await over({ server }, 3)
  assert.deepEqual(
    told.filter(({ name }) => name === 'closed').map(({ reason, served }) => [reason, served]),
    [
      ['aborted', true],
      ['header_missing', false],
      ['probe', false],
    ],
  )
})

test('where no header is awaited either, who hears of the accept is in time to close the server', async t => {
  const harness = createHarness(t)
  const told = listen(t)
  const server = harness.watch(createServer({ version: 'none' }, () => assert.fail('it was to be served')))
  const onAccepted = (): void => void server.close({ drain: 0 })
  subscribe(diagnosticsChannels.accepted, onAccepted)
  t.after(() => unsubscribe(diagnosticsChannels.accepted, onAccepted))
  const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
  await outcome(harness.dial(port).end())
  await over({ server }, 1)
  assert.deepEqual(reasonsOf(told), [
    ['accepted', undefined],
    ['closed', 'aborted'],
  ])
})

test('without subscribers no message is made', async t => {
  const harness = createHarness(t)
  const { mock } = t.mock.method(Channel.prototype, 'publish') // of channels that have no subscriber
  const release = gate()
  const timeouts = { abort: 10 }
  const server = harness.watch(createServer({ trust: 'anyone', timeouts }, () => release.promise))
  const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
  await outcome(harness.dial(port).end('junk'))
  harness.dial(port).write(V2)
  const [connection] = await opened({ server })
  connection?.abort()
  await until(() => connection?.stuck === true)
  release.open()
  await over({ server }, 2)
  const names: readonly unknown[] = Object.values(diagnosticsChannels)
  assert.deepEqual(
    mock.calls.map(call => (call.this as Channel).name).filter(name => names.includes(name)),
    [],
  )
})

test('attach() tells the same of its connections, without a connection object', async t => {
  const harness = createHarness(t)
  const told = listen(t)
  const server = attach(
    net.createServer(socket => void socket.on('error', () => {}).resume()),
    { trust: 'anyone' },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await outcome(harness.dial(port).end(V2))
  await until(() => told.length === 3)
  await outcome(harness.dial(port).end('junk'))
  await outcome(harness.dial(port).end())
  const reset = harness.dial(port)
  reset.write(V2)
  await until(() => told.filter(({ name }) => name === 'opened').length === 2)
  reset.resetAndDestroy()
  await until(() => told.filter(({ name }) => name === 'closed').length === 2)
  assert.deepEqual(
    told.map(({ name, error, reason }) => [name, error?.code ?? reason]),
    [
      ['accepted', undefined],
      ['opened', undefined],
      ['closed', 'done'],
      ['accepted', undefined],
      ['rejected', 'header_missing'],
      ['accepted', undefined],
      ['accepted', undefined],
      ['opened', undefined],
      ['closed', 'client_reset'],
    ],
  )
  assert.ok(told.every(message => message.server === server && message.connection === undefined))
  assert.deepEqual(told[1]?.info?.source, SOURCE)
  server.close()
  await once(server, 'close')
})
