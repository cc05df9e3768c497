// How an exception surfaces in the code of the server that attach() hands connections to.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { outcome } from 'test-support/sockets'
import { V2 } from '../../support/headers.ts'
import { createHarness } from '../../support/harness.ts'

const script = fileURLToPath(new URL('../../support/throwing-listener.ts', import.meta.url))

test('attach() leaves what a connection listener throws an uncaught exception, as it is without', async t => {
  const harness = createHarness(t)
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit')
  harness.defer(async () => {
    child.kill()
    await exited
  })
  const [port] = (await once(child, 'message')) as [number]
  const said = once(child, 'message')
  const ended = outcome(harness.dial(port).end(V2))
  assert.deepEqual(await said, [['uncaughtException', 'fault'], undefined])
  await ended
  assert.deepEqual(await exited, [0, null])
})
