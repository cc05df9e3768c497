// Ten thousand connections, most of whose handlers do something wrong, beside good ones that must not notice (contract 5,
// 7, 8, 9 and 23).

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { outcome, text } from 'test-support/sockets'
import type { Connection } from '../../../src/server/index.ts'
import { clientHeader } from '../../support/headers.ts'
import { counted, over, createHarness } from '../../support/harness.ts'

const CONNECTIONS = 10_000
const AT_ONCE = 500

/** What a handler does by the number that its client sends; `reported` where onError hears of it. */
const kinds: readonly {
  readonly name: string
  readonly reported: boolean
  readonly end: 'FIN' | 'ECONNRESET'
  readonly handle: (connection: Connection, fault: Error) => unknown
}[] = [
  {
    name: 'throws at once',
    reported: true,
    end: 'ECONNRESET',
    handle: (_, fault) => {
      throw fault
    },
  },
  { name: 'rejects', reported: true, end: 'ECONNRESET', handle: (_, fault) => Promise.reject(fault) },
  {
    name: 'rejects late',
    reported: true,
    end: 'ECONNRESET',
    handle: async ({ socket }, fault) => {
      await once(socket, 'readable')
      await turn()
      throw fault
    },
  },
  {
    name: 'throws what is not an error',
    reported: true,
    end: 'ECONNRESET',
    handle: () => {
      throw undefined
    },
  },
  {
    name: 'never settles until it is aborted',
    reported: false,
    end: 'ECONNRESET',
    handle: async connection => {
      setImmediate(() => connection.abort())
      await once(connection.signal, 'abort')
    },
  },
  { name: 'returns early', reported: false, end: 'FIN', handle: () => undefined },
  {
    name: 'destroys its socket',
    reported: false,
    end: 'ECONNRESET',
    handle: ({ socket }) => void socket.resetAndDestroy(),
  },
  {
    name: 'throws in finally',
    reported: true,
    end: 'ECONNRESET',
    handle: async (_, fault) => {
      try {
        await turn()
        throw new Error('lost, as in all of JavaScript')
      } finally {
        await Promise.reject(fault)
      }
    },
  },
  {
    name: 'is good',
    reported: false,
    end: 'FIN',
    handle: async ({ socket }) => void socket.end(await text(socket)),
  },
]

test(`contract 7: ${CONNECTIONS} connections with eight kinds of faulty handlers: onError once per fault, good ones unharmed, nothing left`, async t => {
  const harness = createHarness(t)
  const served = await harness.serve(connection => {
    const { source } = connection.info
    const n = source && 'port' in source ? source.port - 1024 : 0
    return kinds[n % kinds.length]?.handle(connection, new Error(String(n))) as Promise<void>
  })
  for (let first = 0; first < CONNECTIONS; first += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => expectEnd(first + i)))
  }
  await over(served, CONNECTIONS)

  async function expectEnd(n: number): Promise<void> {
    const { name, end } = kinds[n % kinds.length] ?? assert.fail()
    const client = harness.dial(served.port)
    client.write(clientHeader(n))
    client.write('payload')
    if (name === 'is good') client.end()
    else client.once('end', () => client.end())
    const ended = await outcome(client)
    assert.equal(ended.end, end, name)
    assert.equal(ended.text, name === 'is good' ? 'payload' : '', name)
  }

  const of = (n: number): number => Math.ceil((CONNECTIONS - n) / kinds.length)
  const reported = kinds.reduce((sum, kind, n) => sum + (kind.reported ? of(n) : 0), 0)
  assert.equal(new Set(served.errors.map(({ connection }) => connection)).size, reported)
  assert.equal(served.errors.splice(0).length, reported)
  const aborted = of(kinds.findIndex(({ name }) => name.startsWith('never')))
  assert.deepEqual(counted(served), {
    done: CONNECTIONS - reported - aborted,
    handler_error: reported,
    aborted,
  })
})
