// An upstream that goes away and comes back, time and again: clients that come meanwhile are refused at once, and none waits.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { closedPort, content, until } from 'test-support/sockets'
import { startRelay } from '../support/relay.ts'
import { dial, outcome } from '../support/connections.ts'
import { echo, startUpstream } from '../support/upstream.ts'

const FLAPS = 10
/** Connections while it is up, and as many while it is down. */
const CONNECTIONS = 50

function each<T>(one: (n: number) => Promise<T>): Promise<readonly T[]> {
  return Promise.all(Array.from({ length: CONNECTIONS }, (_, n) => one(n)))
}

test(`an upstream that goes down ${FLAPS} times: each time ${CONNECTIONS} connections before are served, ${CONNECTIONS} in its middle are reset, ${CONNECTIONS} after are refused, and none hangs`, async t => {
  const port = await closedPort()
  const relay = await startRelay(t, `127.0.0.1:${port}?pp=noop`)
  for (let flap = 1; flap <= FLAPS; flap++) {
    const upstream = await startUpstream(t, echo, port)
    await each(async n => {
      const socket = dial(t, relay.port)
      socket.end(`before ${n}`)
      assert.equal((await content(socket)).toString(), `before ${n}`)
    })
    const middle = await each(async n => {
      const socket = dial(t, relay.port)
      socket.write(`middle ${n}`)
      await once(socket, 'data')
      return { ended: outcome(socket) }
    })
    await upstream.kill()
    const cut = await Promise.all(middle.map(({ ended }) => ended))
    const refused = await each(() => outcome(dial(t, relay.port)))
    for (const { bytes, fin, error } of [...cut, ...refused]) {
      assert.deepEqual({ bytes: bytes.length, fin, error }, { bytes: 0, fin: false, error: 'ECONNRESET' })
    }
    await until(() => relay.server.stats().active === 0)
    const { done, upstream_reset: reset, connect_refused: down } = relay.server.stats().closed
    const expected = flap * CONNECTIONS
    assert.deepEqual({ done, reset, down }, { done: expected, reset: expected, down: expected })
  }
})
