// Handlers that are written like callbacks: they return at once, and are told what to do instead.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { gate } from 'test-support/gate'
import { text } from 'test-support/sockets'
import type { Connection, Handler } from '../../../src/server/index.ts'
import { clientHeader } from '../../support/headers.ts'
import { counted, over, createHarness } from '../../support/harness.ts'

const WHAT_TO_DO = /Await the life of the connection.*pipeline\(\).*detach\(\).*attach\(\)/

const callbacks: Readonly<Record<string, Handler>> = {
  'a handler that leaves a listener for data': ({ socket }) => {
    socket.on('data', () => {})
  },
  'an async handler that awaits nothing': async ({ socket }) => {
    socket.on('data', () => {})
    await Promise.resolve()
  },
  'a handler that pipes': ({ socket }) => void socket.pipe(socket),
}
for (const [name, handler] of Object.entries(callbacks)) {
  test(`${name} is warned of, once a server`, async t => {
    const harness = createHarness(t)
    const served = await harness.serve(handler)
    for (let i = 0; i < 3; i++) {
      const client = harness.dial(served.port)
      client.write(clientHeader(i))
      assert.equal(await text(client), '')
      client.end()
    }
    const [warning, ...more] = await harness.warnings()
    assert.deepEqual(more, [])
    const { name: type, code, message } = warning as NodeJS.ErrnoException
    assert.deepEqual([type, code], ['ProxyProtocolWarning', 'handler_returned'])
    assert.match(message, /^a handler of createServer\(\) has returned, so its connection ends/)
    assert.match(message, WHAT_TO_DO)
  })
}

const served: Readonly<Record<string, Handler>> = {
  'a handler that has ended the socket': ({ socket }) => {
    socket.on('data', () => {})
    socket.end('bye')
  },
  'a handler that only answers': ({ socket }) => void socket.write('bye'),
  'a handler that detaches': connection => {
    const socket = connection.detach()
    socket.on('error', () => {}).on('data', () => socket.end('bye'))
  },
  'a handler that destroys the socket': ({ socket }) => void socket.on('data', () => {}).destroy(),
  'a handler that was aborted': connection => {
    connection.socket.on('data', () => {})
    connection.abort()
  },
  'a handler that throws': ({ socket }) => {
    socket.on('data', () => {})
    throw new Error('thrown')
  },
  'a handler that awaits what its listener does': async ({ socket }) => {
    const [chunk] = (await once(
      socket.on('data', () => {}),
      'data',
    )) as [Buffer]
    socket.write(chunk)
  },
  'a handler that reads what has arrived already': async ({ socket }) => {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      socket.end(chunk as Buffer)
      return
    }
  },
  'a handler that awaits a loop': async ({ socket }) => {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) socket.write(chunk as Buffer)
  },
  'a handler that awaits pipeline()': async ({ socket, signal }) => pipeline(socket, socket, { signal }),
}
for (const [name, handler] of Object.entries(served)) {
  test(`${name} is not warned of`, async t => {
    const harness = createHarness(t)
    const { port, errors } = await harness.serve(handler)
    const client = harness.dial(port)
    client.end(Buffer.concat([clientHeader(1), Buffer.from('x')]))
    await text(client).catch(() => '')
    assert.deepEqual(await harness.warnings(), [])
    errors.length = 0
  })
}

test('a write after the return of the handler is reported as that, with the error of Node as its cause', async t => {
  const harness = createHarness(t)
  const returned = gate()
  let connection: Connection | undefined
  const open = await harness.serve(async each => {
    connection = each
    await returned.promise
  })
  const client = harness.dial(open.port)
  client.write(clientHeader(1))
  returned.open()
  await once(client.resume(), 'end')
  const closed = once(client, 'close')
  connection?.socket.write('too late')
  client.end()
  await closed
  await over(open, 1)
  const [{ error, connection: of } = assert.fail()] = open.errors.splice(0)
  assert.equal(of, connection)
  assert.ok(error instanceof Error)
  assert.match(error.message, /^the handler of this connection has returned, so writing to it is too late/)
  assert.match(error.message, WHAT_TO_DO)
  assert.equal((error.cause as NodeJS.ErrnoException).code, 'ERR_STREAM_WRITE_AFTER_END')
  assert.deepEqual(counted(open), { handler_error: 1 })
})

test('a write after an end that the handler made itself keeps the error of Node', async t => {
  const harness = createHarness(t)
  const open = await harness.serve(async ({ socket }) => {
    socket.end()
    socket.write('too late')
    await once(socket, 'close').catch(() => undefined)
  })
  const client = harness.dial(open.port)
  const closed = once(client, 'close')
  client.end(clientHeader(1)).resume()
  await closed
  await over(open, 1)
  const [{ error } = assert.fail()] = open.errors.splice(0)
  assert.equal((error as NodeJS.ErrnoException).code, 'ERR_STREAM_WRITE_AFTER_END')
})
