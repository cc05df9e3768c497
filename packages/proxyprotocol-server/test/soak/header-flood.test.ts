// More connections without a header than may wait for one.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { encodeHeader } from 'proxyprotocol'
import { content, until } from 'test-support/sockets'
import { atOnce } from '../support/at-once.ts'
import { startRelay } from '../support/relay.ts'
import { dial, outcome } from '../support/connections.ts'
import { echo, startUpstream } from '../support/upstream.ts'

const FLOOD = 1_000
const CAP = 100
const GOOD = 20
/** Of the header, in milliseconds: longer than the flood takes anywhere. */
const DEADLINE = 60_000

const source = { address: '192.0.2.1', port: 56_324 }
const destination = { address: '198.51.100.7', port: 443 }

test(`of ${FLOOD} silent connections ${CAP} wait for a header and ${FLOOD - CAP} are refused and counted, one that is open goes on, and all of ${GOOD} good clients get in when those have gone`, async t => {
  const upstream = await startUpstream(t, echo)
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=noop`, {
    source: '127.0.0.1:0?pp=detect',
    trust: 'anyone',
    limits: { connections: 2 * FLOOD, pendingHeaders: CAP },
    timeouts: { header: DEADLINE },
  })
  const stats = (): ReturnType<typeof relay.server.stats> => relay.server.stats()
  const open = dial(t, relay.port) // it has its header, and does not belong to the flood
  open.write(encodeHeader({ source, destination }))
  open.write('before ')
  await once(open, 'data')

  const silent = await atOnce(FLOOD, CAP, async () => {
    const socket = dial(t, relay.port)
    const ended = outcome(socket)
    await once(socket, 'connect')
    return { socket, ended }
  })
  await until(() => stats().accepted === FLOOD + 1 && stats().active <= CAP + 1)
  assert.deepEqual([stats().closed.limit_connections, stats().active], [FLOOD - CAP, CAP + 1])
  open.end('and after')
  assert.equal((await content(open)).toString(), 'and after')

  const waiting = silent.filter(({ socket }) => !socket.destroyed)
  for (const [n, { socket }] of waiting.entries()) {
    if (n % 2 === 0) socket.end()
    else socket.resetAndDestroy()
  }
  await Promise.all(silent.map(({ ended }) => ended))
  await until(() => stats().active === 0)
  assert.equal(stats().closed.probe, CAP)
  await Promise.all(
    Array.from({ length: GOOD }, async (_, n) => {
      const socket = dial(t, relay.port)
      socket.write(encodeHeader({ source, destination }))
      socket.end(`good ${n}`)
      assert.equal((await content(socket)).toString(), `good ${n}`)
    }),
  )
  await until(() => stats().active === 0)
  assert.deepEqual([stats().closed.done, upstream.accepted], [GOOD + 1, GOOD + 1])
})
