// Validators that return a promise: they have as long as the header, and the connection may end in the meantime.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createNetServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { gate } from 'test-support/gate'
import { outcome, until } from 'test-support/sockets'
import { ProxyProtocolError } from '../../../src/codec/index.ts'
import { attach, type Validator } from '../../../src/server/index.ts'
import { assertCounted, came, SERVED, send } from '../../support/admitted.ts'
import { doors, type Door } from '../../support/doors.ts'
import { createHarness } from '../../support/harness.ts'
import { V2 } from '../../support/headers.ts'

const DENIED = new ProxyProtocolError('denied_acl', { detail: 'not today' })

function codes({ refused }: Door): readonly string[] {
  return refused.map(({ error }) => error.code)
}

for (const [name, open] of doors) {
  test(`${name}: a validator may resolve later, and every byte comes after it`, async t => {
    const harness = createHarness(t)
    const release = gate()
    const asked: string[] = []
    const validate: Validator[] = [
      async () => {
        asked.push('first')
        await release.promise
        return undefined
      },
      () => void asked.push('second'),
      () => Promise.resolve(undefined),
    ]
    const door = await open(t, harness, { options: { validate } })
    const ended = send(harness, door.port, Buffer.concat([V2, Buffer.from('hel')]), 'lo')
    await until(() => asked.length === 1)
    assert.deepEqual([door.seen, asked], [[], ['first']])
    release.open()
    assert.deepEqual(await ended, SERVED)
    assert.deepEqual([came(door), asked], [[['192.0.2.1', 2, 'hello']], ['first', 'second']])
  })

  test(`${name}: a validator that resolves with an error refuses, and the others are not asked`, async t => {
    const harness = createHarness(t)
    const validate: Validator[] = [() => Promise.resolve(DENIED), () => assert.fail('it was asked')]
    const door = await open(t, harness, { options: { validate } })
    assert.equal((await send(harness, door.port, V2, 'hello')).text, '')
    assert.deepEqual([came(door), door.refused.map(({ error }) => error)], [[], [DENIED]])
    await assertCounted(door, { denied_acl: 1 })
  })

  test(`${name}: a validator that rejects refuses, and onError gets its error once`, async t => {
    const harness = createHarness(t)
    const fault = new Error('database')
    const door = await open(t, harness, { options: { validate: () => Promise.reject(fault) } })
    assert.equal((await send(harness, door.port, V2, 'hello')).text, '')
    assert.deepEqual([codes(door), door.refused[0]?.error.cause], [['denied_acl'], fault])
    if (door.server) assert.deepEqual(door.errors, [fault])
  })

  test(`${name}: a validator that does not answer in time is header_timeout`, async t => {
    const harness = createHarness(t)
    const options = { validate: () => new Promise<undefined>(() => undefined), timeouts: { header: 50 } }
    const door = await open(t, harness, { options })
    assert.equal((await send(harness, door.port, V2)).text, '')
    assert.match(door.refused[0]?.error.message ?? '', /: a validator did not answer in time$/)
    await assertCounted(door, { header_timeout: 1 })
  })

  test(`${name}: a client that resets while its validator waits is refused as that`, async t => {
    const harness = createHarness(t)
    let asked = 0
    const validate = (): Promise<undefined> => {
      asked++
      return new Promise(() => undefined)
    }
    const door = await open(t, harness, { options: { validate } })
    const client = harness.dial(door.port)
    client.write(V2)
    await until(() => asked === 1)
    client.resetAndDestroy()
    await until(() => door.refused.length === 1)
    assert.deepEqual([codes(door), came(door)], [['client_reset'], []])
  })

  test(`${name}: connections whose validators wait count under limits.pendingHeaders`, async t => {
    const harness = createHarness(t)
    const release = gate()
    let asked = 0
    const validate = async (): Promise<undefined> => {
      asked++
      await release.promise
      return undefined
    }
    const door = await open(t, harness, { options: { validate, limits: { pendingHeaders: 1 } } })
    const first = send(harness, door.port, V2, 'hello')
    await until(() => asked === 1)
    assert.equal((await send(harness, door.port, V2, 'hello')).text, '')
    assert.deepEqual(codes(door), ['limit_connections'])
    release.open()
    assert.deepEqual(await first, SERVED)
  })
}

test('a server without headers asks validators that wait as well, under limits.pendingHeaders', async t => {
  const harness = createHarness(t)
  const release = gate()
  let asked = 0
  const served = await harness.serve(({ socket }) => void socket.end('served'), {
    version: 'none',
    limits: { pendingHeaders: 1 },
    validate: async () => {
      asked++
      await release.promise
      return undefined
    },
  })
  const first = outcome(harness.dial(served.port).end())
  await until(() => asked === 1)
  assert.equal((await outcome(harness.dial(served.port).end())).text, '')
  release.open()
  assert.equal((await first).text, 'served')
  assert.deepEqual(
    served.rejected.map(({ error }) => error.code),
    ['limit_connections'],
  )
})

test('close() ends a connection whose validator waits', async t => {
  const harness = createHarness(t)
  let asked = 0
  const served = await harness.serve(() => assert.fail('it was served'), {
    validate: () => {
      asked++
      return new Promise(() => undefined)
    },
  })
  const ended = outcome(harness.dial(served.port).end(V2))
  await until(() => asked === 1)
  await served.server.close()
  assert.equal((await ended).text, '')
  assert.equal(served.server.stats().closed.aborted, 1)
})

test('attach(): a connection that close() has destroyed is not emitted when its validator accepts in the same turn', async t => {
  const harness = createHarness(t)
  let accept: (() => void) | undefined
  const validate = (): Promise<undefined> =>
    new Promise(resolve => {
      accept = () => resolve(undefined)
    })
  const server = createNetServer(socket => assert.fail(`it was served, destroyed: ${socket.destroyed}`))
  attach(server, { trust: 'anyone', validate }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const ended = outcome(harness.dial((server.address() as AddressInfo).port).end(V2))
  await until(() => accept !== undefined)
  server.close()
  accept?.()
  assert.equal((await ended).text, '')
})
