// The program's secret for session tickets, which is made anew every twelve hours.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { runServer } from '../../../src/cli/index.ts'
import { certificateFiles } from '../../support/certificate-files.ts'
import { configFile } from '../../support/config-file.ts'
import { start } from '../../support/program.ts'
import { isResumed, sessionAt } from '../../support/sessions.ts'
import { echo, startUpstream } from '../../support/upstream.ts'

const HALF_A_DAY = 12 * 60 * 60_000

test('a session is resumed after a reload that changes its service, and for twelve hours at most', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { port: upstream } = await startUpstream(t, echo)
  const { source: listen } = certificateFiles(t)
  const service = { name: 'web', listen, upstream: `127.0.0.1:${upstream}?pp=noop` }
  const file = configFile(t, { services: [service] })
  const { io, ports } = await start(t, runServer, ['--config', file])
  const [port = 0] = ports
  const session = await sessionAt(t, port)
  writeFileSync(file, JSON.stringify({ services: [{ ...service, timeouts: { connect: 4_000 } }] }))
  io.send('SIGHUP')
  await io.line(/ reloaded .*changed=1 /)
  assert.equal(await isResumed(t, port, { session }), true)
  for (let rotation = 0; rotation < 2; rotation++) {
    const before = await sessionAt(t, port)
    t.mock.timers.tick(HALF_A_DAY)
    assert.equal(await isResumed(t, port, { session: before }), false)
  }
})
