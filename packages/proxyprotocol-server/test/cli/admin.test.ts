// The admin listener as the program wires it to its relays.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shownOf, startAdmin } from '../../src/cli/admin.ts'
import { parseConfig } from '../../src/config/index.ts'
import { createRelay, type Relay } from '../../src/relay/index.ts'
import { portIn } from '../support/child.ts'
import { fakeIo } from '../support/program.ts'
import { atEnd } from '../support/teardown.ts'

test('/readyz says starting as long as there is no relay, and ready when there is', async t => {
  const { admin: settings, services } = parseConfig({
    admin: { listen: '127.0.0.1:0' },
    services: [{ listen: '127.0.0.1:0', upstream: '127.0.0.1:1' }],
  })
  const relays: Relay[] = []
  const io = fakeIo()
  const admin = await startAdmin(
    io,
    settings ?? assert.fail(),
    shownOf(io, () => relays),
  )
  atEnd(t, () => admin.close())
  const url = `http://127.0.0.1:${portIn(await io.line(/ admin /))}/readyz`
  const before = await fetch(url)
  assert.deepEqual([before.status, await before.json()], [503, { status: 'starting' }])
  const relay = createRelay(services[0] ?? assert.fail())
  atEnd(t, () => relay.server.abort())
  await relay.listen()
  relays.push(relay)
  const after = await fetch(url)
  assert.deepEqual([after.status, await after.json()], [200, { status: 'ready' }])
})
