// Changes of upstreams, as lines of the log.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closedPort } from 'test-support/sockets'
import { runServer } from '../../../src/cli/index.ts'
import { logUpstream } from '../../../src/cli/services/upstream-log.ts'
import { configFile } from '../../support/config-file.ts'
import { fakeIo, start } from '../../support/program.ts'
import { dial, outcome } from '../../support/connections.ts'
import { echo, startUpstream } from '../../support/upstream.ts'

test('each event is one line with its level, and what is not known is left out', () => {
  const io = fakeIo()
  io.log.format = 'json'
  const where = { route: 'a.example', upstream: 'app.test:80' }
  const failure = { code: 'connect_timeout', message: 'it is silent' } as const
  logUpstream(io, 'web', { ...where, kind: 'down', address: '192.0.2.1:80', failure })
  logUpstream(io, 'web', { ...where, kind: 'up', address: undefined, downFor: 1_500.4 })
  logUpstream(io, 'web', { ...where, kind: 'left_out', members: 64, leftOut: 7 })
  const lines = io.written.map(line => {
    const { time, ...rest } = JSON.parse(line) as Record<string, unknown>
    assert.equal(typeof time, 'string')
    return rest
  })
  const common = { service: 'web', ...where }
  assert.deepEqual(lines, [
    {
      ...{ level: 'warn', event: 'upstream_down', ...common },
      ...{ address: '192.0.2.1:80', reason: 'connect_timeout', error: 'it is silent' },
    },
    { level: 'info', event: 'upstream_up', ...common, downMs: 1_500 },
    { level: 'warn', event: 'upstream_left_out', ...common, members: 64, leftOut: 7 },
  ])
})

test('an upstream that refuses is one line, however many clients it costs, and so is its return without a client', async t => {
  const port = await closedPort()
  const health = { cooldown: 200 }
  const service = { name: 'web', listen: '127.0.0.1:0', upstream: `127.0.0.1:${port}?pp=noop`, health }
  const file = configFile(t, JSON.stringify({ services: [service] }))
  const { io, ports } = await start(t, runServer, ['--config', file], { listeners: 1 })
  await Promise.all(Array.from({ length: 20 }, () => outcome(dial(t, ports[0] ?? 0))))
  const down = await io.line(/ upstream_down /)
  const place = `service=web route="\\*" upstream=127\\.0\\.0\\.1:${port} address=127\\.0\\.0\\.1:${port}`
  assert.match(
    down,
    new RegExp(` upstream_down ${place} reason=connect_refused error="[^"]*ECONNREFUSED[^"]*"\\n$`),
  )
  await startUpstream(t, echo, port)
  assert.match(await io.line(/ upstream_up /), new RegExp(` upstream_up ${place} downMs=\\d+\\n$`))
  assert.equal(io.written.filter(line => line.includes(' upstream_')).length, 2)
})
