// Where the admin listener listens, what it refuses, and that its faults end nothing.

import assert from 'node:assert/strict'
import { Server } from 'node:http'
import { test } from 'node:test'
import { runServer } from '../../src/cli/index.ts'
import { serverRequest } from '../../src/cli/server/arguments.ts'
import { parseConfig } from '../../src/config/index.ts'
import { ask } from '../support/http.ts'
import { fakeIo, start } from '../support/program.ts'
import { dial, listen, outcome } from '../support/connections.ts'
import { startStage } from '../support/admin-program.ts'

test('what makes no sense of the admin listener is refused', async () => {
  const cases: [args: string[], error: RegExp][] = [
    [
      ['--admin-hosts', 'proxy.example'],
      /^error: --admin-hosts must stand beside `listen`, which starts the admin listener/,
    ],
    [['--admin', '127.0.0.1:0?pp=v1'], /^error: --admin must have no "pp"/],
    [['--admin', '1.2.3'], /^error: --admin: "1\.2\.3"/],
  ]
  for (const [args, error] of cases) {
    const io = fakeIo()
    assert.equal(await runServer(['--service', ':0', ':1', ...args], io), 2)
    assert.match(io.errors.join(''), error)
  }
})

test('--admin alone is 127.0.0.1:10009; without a host it is the loopback, and an address in use ends the program', async t => {
  const { admin } = parseConfig({
    services: [{ listen: ':0', upstream: ':1' }],
    admin: { listen: '0.0.0.0' },
  })
  const expected = { transport: 'tcp', host: '0.0.0.0', port: 10_009, pp: undefined, tls: undefined }
  assert.deepEqual(admin, { listen: expected, hosts: [], readyNeeds: [] })
  const io = fakeIo()
  const { configuration } = serverRequest(
    ['--service', ':0', ':1', '--admin', '--admin-hosts', 'a.example,b.example'],
    io,
  )
  const listenAt = { ...expected, host: '127.0.0.1' }
  assert.deepEqual(configuration.admin, {
    listen: listenAt,
    hosts: ['a.example', 'b.example'],
    readyNeeds: [],
  })
  const taken = await listen(t)
  assert.equal(await runServer(['--service', '127.0.0.1:0', ':1', '--admin', `:${taken.port}`], io), 1)
  assert.match(
    io.errors.join(''),
    /^error: admin listener: listen EADDRINUSE: address already in use 127\.0\.0\.1:/,
  )
})

test('a fault of the admin listener is a line, and ends nothing', async t => {
  const listening = t.mock.method(Server.prototype, 'listen')
  const harness = await startStage(t)
  const admin = listening.mock.calls.map(call => call.this).find(server => server instanceof Server)
  assert.ok(admin)
  admin.emit('error', new Error('accept EMFILE'))
  assert.match(await harness.io.line(/ failed /), / failed error="Error: accept EMFILE/)
  assert.equal((await ask(harness.admin, '/livez')).status, 200)
})

test('the admin listener answers while a service is at its limit', async t => {
  const upstream = await listen(t)
  const { io, ports } = await start(t, runServer, [
    ...['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}`, '--admin', '127.0.0.1:0'],
    ...['--max-connections', '1'],
  ])
  const [, admin] = / admin address=127\.0\.0\.1:(\d+)/.exec(io.written.join('')) ?? []
  const first = dial(t, ports[0] ?? 0)
  const far = await upstream.accept()
  await outcome(dial(t, ports[0] ?? 0))
  assert.match(await io.line(/ rejected /), / reason=limit_connections /)
  assert.equal((await ask(Number(admin), '/livez')).status, 200)
  assert.match((await ask(Number(admin), '/metrics')).body, /^proxyprotocol_connections_active\{[^}]*\} 1$/m)
  first.end()
  far.end()
})
