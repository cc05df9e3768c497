// Handlers that fail, dozens at once beside handlers that do not (contract 5 to 9).

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { gate } from 'test-support/gate'
import { outcome, text, until, type Outcome } from 'test-support/sockets'
import { ProxyProtocolError } from '../../../src/codec/index.ts'
import type { Connection } from '../../../src/server/index.ts'
import { clientHeader, V2 } from '../../support/headers.ts'
import { counted, over, createHarness, type Served, type Harness } from '../../support/harness.ts'

const CONNECTIONS = 48

interface Fault {
  readonly name: string
  /** Fails with `fault` where it fails at all. */
  readonly handler: (connection: Connection, fault: Error) => unknown
  readonly end: 'ECONNRESET' | 'FIN'
  /** Whether onError hears of it, with `fault`. */
  readonly reported: boolean
}

const faults: readonly Fault[] = [
  {
    name: 'that throws synchronously',
    handler: (_, fault) => {
      throw fault
    },
    end: 'ECONNRESET',
    reported: true,
  },
  {
    name: 'that rejects at once',
    handler: (_, fault) => Promise.reject(fault),
    end: 'ECONNRESET',
    reported: true,
  },
  {
    name: 'that rejects while the connection is in use',
    handler: async ({ socket }, fault) => {
      await once(socket, 'data')
      await turn()
      throw fault
    },
    end: 'ECONNRESET',
    reported: true,
  },
  {
    name: 'that rejects late, when its connection has closed already',
    handler: async ({ socket }, fault) => {
      socket.end()
      await once(socket.resume(), 'close')
      await turn()
      throw fault
    },
    end: 'FIN',
    reported: true,
  },
  {
    name: 'that returns early',
    handler: () => {},
    end: 'FIN',
    reported: false,
  },
  {
    name: 'that destroys its socket with an error and throws another',
    handler: ({ socket }, fault) => {
      socket.destroy(new Error('not reported: the throw comes first'))
      throw fault
    },
    end: 'ECONNRESET',
    reported: true,
  },
  {
    name: 'that destroys its socket with an error and rejects later',
    handler: async ({ socket }, fault) => {
      socket.destroy(fault)
      await once(socket, 'close')
      throw new Error('not reported: the first error counts')
    },
    end: 'ECONNRESET',
    reported: true,
  },
  {
    name: 'that destroys its socket with an error and returns',
    handler: ({ socket }, fault) => void socket.destroy(fault),
    end: 'ECONNRESET',
    reported: true,
  },
  {
    name: 'that reads what has come, destroys its socket and rejects later',
    handler: async ({ socket }, fault) => {
      await text(socket)
      socket.destroy() // closes it without an error, so that the peer sees a FIN
      await once(socket, 'close')
      throw fault
    },
    end: 'FIN',
    reported: true,
  },
  {
    name: 'that throws in finally',
    handler: async (_, fault) => {
      try {
        throw new Error('lost, as in all of JavaScript')
      } finally {
        await Promise.reject(fault)
      }
    },
    end: 'ECONNRESET',
    reported: true,
  },
  {
    name: 'that gives a thenable whose then throws',
    handler: (_, fault) => ({
      then: () => {
        throw fault
      },
    }),
    end: 'ECONNRESET',
    reported: true,
  },
  {
    name: 'whose pipeline fails at its source',
    handler: ({ socket }, fault) => {
      const source = new Readable({ read: () => source.destroy(fault) })
      return pipeline(source, socket)
    },
    end: 'ECONNRESET',
    reported: true,
  },
  {
    name: 'whose socket something destroys after its return',
    handler: ({ socket }, fault) => {
      void turn().then(() => socket.destroy(fault))
    },
    end: 'FIN',
    reported: true,
  },
]

/** Opens many connections, every other one of which fails; gives the outcomes of those that do. */
async function failHalf(harness: Harness, { handler }: Fault): Promise<{ served: Served; ends: Outcome[] }> {
  const served = await harness.serve(connection => {
    const n = numberOf(connection)
    const failing = n % 2 === 1 ? handler(connection, new Error(`fault ${n}`)) : echo(connection)
    return failing as Promise<void>
  })
  const outcomes = Array.from({ length: CONNECTIONS }, (_, n) => {
    const client = harness.dial(served.port)
    const ended = outcome(client)
    client.end(Buffer.concat([clientHeader(n), Buffer.from(`hello ${n}`)]))
    return ended
  })
  const all = await Promise.all(outcomes)
  all.forEach((end, n) => {
    if (n % 2 === 0) assert.deepEqual(end, { text: `hello ${n}`, end: 'FIN' }, 'the others are unharmed')
  })
  return { served, ends: all.filter((_, n) => n % 2 === 1) }
}

function numberOf({ socket }: Connection): number {
  return Number(socket.remotePort) - 1024
}

async function echo({ socket }: Connection): Promise<void> {
  await pipeline(socket, socket)
}

for (const fault of faults) {
  const result = fault.end === 'FIN' ? 'ended' : 'reset'
  const hears = fault.reported ? 'runs once' : 'does not run'
  test(`contract 7: the connection of a handler ${fault.name} is ${result}, and onError ${hears}`, async t => {
    const { served, ends } = await failHalf(createHarness(t), fault)
    await over(served, CONNECTIONS)
    assert.deepEqual([...new Set(ends.map(({ end }) => end))], [fault.end])
    const half = CONNECTIONS / 2
    const reasons = fault.reported ? { done: half, handler_error: half } : { done: CONNECTIONS }
    assert.deepEqual(counted(served), reasons)
    const errors = served.errors.splice(0)
    assert.equal(new Set(errors.map(({ connection }) => connection)).size, fault.reported ? half : 0)
    for (const { error, connection } of errors) {
      assert.ok(connection && error instanceof Error)
      assert.equal(error.message, `fault ${numberOf(connection)}`)
      assert.equal(connection.reason, 'handler_error')
      assert.equal(connection.state, 'closed')
    }
    assert.equal(served.server.state, 'listening')
  })
}

test('contract 5: a handler that does not settle stays held after its socket has closed', async t => {
  const harness = createHarness(t)
  const release = gate()
  const served = await harness.serve(() => release.promise)
  const { server, port } = served
  const clients = Array.from({ length: CONNECTIONS }, () => harness.dial(port))
  const ends = clients.map(client => outcome(client))
  for (const client of clients) client.write(V2)
  const open = (): Connection[] => [...server.connections].filter(({ state }) => state === 'open')
  await until(() => open().length === CONNECTIONS)
  for (const client of clients) client.resetAndDestroy()
  await Promise.all(ends)
  await until(() => [...server.connections].every(({ socket }) => socket.closed))
  assert.equal(server.stats().active, CONNECTIONS)
  assert.deepEqual(counted(served), {})
  release.open()
  await over(served, CONNECTIONS)
  assert.deepEqual(counted(served), { client_reset: CONNECTIONS })
})

const values: readonly (readonly [name: string, value: unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['a string', 'text'],
  ['a number', 0],
  ['a symbol', Symbol('fault')],
  ['a function', echo],
  ['a frozen object', Object.freeze({})],
  ['an object without a prototype', Object.create(null)],
]

for (const [name, value] of values) {
  test(`contract 7: ${name} is an error like any other when a handler throws it`, async t => {
    const harness = createHarness(t)
    const served = await harness.serve(() => {
      throw value
    })
    const client = harness.dial(served.port)
    client.write(V2)
    assert.deepEqual(await outcome(client), { text: '', end: 'ECONNRESET' })
    await over(served, 1)
    assert.equal(served.errors.length, 1)
    assert.equal(served.errors.splice(0)[0]?.error, value)
    assert.deepEqual(counted(served), { handler_error: 1 })
  })
}

test('contract 7: the signal of a connection whose handler failed says so, with what it threw as the cause', async t => {
  const harness = createHarness(t)
  const fault = new Error('fault')
  let signal: AbortSignal | undefined
  const served = await harness.serve(connection => {
    signal = connection.signal
    throw fault
  })
  const client = harness.dial(served.port)
  client.write(V2)
  await outcome(client)
  const reason: unknown = signal?.reason
  assert.ok(reason instanceof ProxyProtocolError)
  assert.equal(reason.code, 'handler_error')
  assert.equal(reason.cause, fault)
  assert.equal(served.errors.splice(0).length, 1)
})

test('contract 7: a handler that ended its side and fails at once is closed and counted, not left behind', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(({ socket }) => {
    socket.end('bye')
    throw new Error('fault')
  })
  const clients = Array.from({ length: CONNECTIONS }, () => harness.dial(served.port).end(V2))
  // The FIN was on its way before the fault, so the reset comes behind it.
  for (const { text } of await Promise.all(clients.map(outcome))) assert.equal(text, 'bye')
  await over(served, CONNECTIONS)
  assert.deepEqual(counted(served), { handler_error: CONNECTIONS })
  assert.equal(served.errors.splice(0).length, CONNECTIONS)
})

test('contract 7: an error of another resource, such as a missing file, is the fault of the handler', async t => {
  const harness = createHarness(t)
  const missing = Object.assign(new Error('ENOENT: no such file'), {
    code: 'ENOENT',
    errno: -2,
    syscall: 'open',
  })
  const served = await harness.serve(async ({ socket }) => {
    const source = new Readable({ read: () => source.destroy(missing) })
    await pipeline(source, socket)
  })
  const client = harness.dial(served.port)
  client.write(V2)
  assert.equal((await outcome(client)).end, 'ECONNRESET')
  await over(served, 1)
  assert.equal(served.errors.splice(0)[0]?.error, missing)
  assert.deepEqual(counted(served), { handler_error: 1 })
})

test('contract 7: a pipeline that is aborted for a reason of its own resets, unlike a loop that breaks off', async t => {
  const harness = createHarness(t)
  const fault = new Error('fault')
  const served = await harness.serve(async ({ socket }) => {
    const controller = new AbortController()
    const streaming = pipeline(new Readable({ read: () => {} }), socket, { signal: controller.signal })
    controller.abort(fault)
    await streaming
  })
  const client = harness.dial(served.port)
  client.write(V2)
  assert.equal((await outcome(client)).end, 'ECONNRESET')
  await over(served, 1)
  const [{ error } = { error: undefined }, ...more] = served.errors.splice(0)
  assert.ok(error instanceof Error)
  assert.deepEqual([error.name, error.cause, more], ['AbortError', fault, []])
  assert.deepEqual(counted(served), { handler_error: 1 })
})
