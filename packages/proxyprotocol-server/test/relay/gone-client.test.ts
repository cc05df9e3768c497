// A client that is gone before the relay can ask who it was: what it left behind must reach no upstream in the relay's name.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { listen } from '../support/connections.ts'
import { startRelay } from '../support/relay.ts'

/** Sends a request and resets at once, while the test's process is not looking. */
const HIT_AND_RUN = `
  const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1', () => {
    socket.write('DELETE / HTTP/1.1\\r\\n\\r\\n', () => socket.resetAndDestroy())
  })`

for (const version of ['v1', 'v2']) {
  test(`a client that reset before its accept is not announced as the relay itself (${version})`, async t => {
    const upstream = await listen(t)
    const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=${version}`)
    spawnSync(process.execPath, ['-e', HIT_AND_RUN, String(relay.port)])
    const { peer, reason, bytesUp } = await relay.record()
    assert.deepEqual({ peer, reason, bytesUp }, { peer: undefined, reason: 'client_reset', bytesUp: 0 })
    assert.equal(upstream.accepted, 0)
  })
}
