// The command `health`, against the admin listener of a program.

import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EventEmitter, once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { closedPort } from 'test-support/sockets'
import { runServer } from '../../../src/cli/index.ts'
import { startAdmin } from '../../support/admin.ts'
import { runCommand, pathOf } from '../../support/child.ts'
import { fakeIo } from '../../support/program.ts'
import { atEnd } from '../../support/teardown.ts'

async function health(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const io = fakeIo(env)
  const code = await runServer(['health', ...args], io)
  return { code, text: [...io.written, ...io.errors].join('') }
}

async function httpServer(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}` // it listens at a port
}

test('health ends with 0 if the program is ready, and with 1 and its state if it is not', async t => {
  let state: 'ready' | 'draining' | 'no_upstream' = 'ready'
  const { port } = await startAdmin(t, { readiness: () => state })
  const at = `127.0.0.1:${port}`
  assert.deepEqual(await health([at]), { code: 0, text: 'ready\n' })
  for (const each of ['draining', 'no_upstream'] as const) {
    state = each
    assert.deepEqual(await health([at]), { code: 1, text: `error: ${at} answers: ${state}\n` })
    assert.deepEqual(await health(['--live', at]), { code: 0, text: 'live\n' })
  }
})

test('health takes its address from the operand, --admin or PROXYPROTOCOL_ADMIN, and else from the default', async t => {
  const { port } = await startAdmin(t)
  const other = `127.0.0.1:${await closedPort()}`
  for (const at of [`:${port}`, `localhost:${port}`, `127.0.0.1:${port}`]) {
    assert.equal((await health([at], { PROXYPROTOCOL_ADMIN: other })).code, 0)
    assert.equal((await health(['--admin', at], { PROXYPROTOCOL_ADMIN: other })).code, 0)
    assert.equal((await health([], { PROXYPROTOCOL_ADMIN: at })).code, 0)
  }
  // A program of this machine may listen there.
  assert.match((await health([])).text, /^error: 127\.0\.0\.1:10009 |^ready\n$/)
})

test('health ends with 1 if the listener refuses, answers something else, or breaks off', async t => {
  const refused = `127.0.0.1:${await closedPort()}`
  const foreign = await httpServer(t, (_, response) => response.writeHead(404).end('x'.repeat(100_000)))
  const broken = await httpServer(t, (_, response) => {
    response.writeHead(200).write('{', () => response.destroy())
  })
  assert.match((await health([refused])).text, /^error: \S+ does not answer: connect ECONNREFUSED \S+\n$/)
  assert.deepEqual(await health([foreign]), { code: 1, text: `error: ${foreign} answers: HTTP status 404\n` })
  assert.deepEqual(await health([broken]), { code: 1, text: `error: ${broken} does not answer: aborted\n` })
})

test('health waits 2 s for an answer, also if the listener stops within it', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const gone = ' does not answer: 2000 ms have passed\n'
  const asked = new EventEmitter()
  const silent = await httpServer(t, () => asked.emit('asked'))
  const toldSilence = health([silent])
  await once(asked, 'asked')
  t.mock.timers.tick(2_000)
  assert.deepEqual(await toldSilence, { code: 1, text: `error: ${silent}${gone}` })

  const stopping = await httpServer(t, (_, response) => response.writeHead(200).write('{'))
  const began = new Promise(resolve => {
    subscribe('http.client.response.finish', resolve)
    atEnd(t, () => void unsubscribe('http.client.response.finish', resolve))
  })
  const toldHalf = health([stopping])
  await began
  t.mock.timers.tick(2_000)
  assert.deepEqual(await toldHalf, { code: 1, text: `error: ${stopping}${gone}` })
})

test('health ends with 2 if its arguments are wrong', async () => {
  const cases: readonly (readonly [args: readonly string[], error: RegExp])[] = [
    [['--lvie'], /unknown option '--lvie'\n\(Did you mean --live\?\)/],
    [['127.0.0.1:x'], /^error: HOST:PORT "127\.0\.0\.1:x": the port must be a plain number/],
    [['unix:/run/x.sock'], /^error: HOST:PORT must be HOST:PORT, got a UNIX socket\n$/],
    [[':1', ':2'], /^error: the arguments must be one HOST:PORT, got ":1" ":2"\n$/],
    [[':1', '--admin', ':2'], /^error: health takes HOST:PORT or --admin, not both\n$/],
  ]
  for (const [args, error] of cases) {
    const { code, text } = await health(args)
    assert.equal(code, 2)
    assert.match(text, error)
  }
})

test('proxyprotocol-server health is a program that ends by itself', async t => {
  const { port } = await startAdmin(t)
  const command = [
    process.execPath,
    pathOf('packages/proxyprotocol-server/bin/proxyprotocol-server.js'),
    'health',
  ]
  const child = runCommand(t, command, { PROXYPROTOCOL_ADMIN: `:${port}` })
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
  assert.equal(child.output(), 'ready\n')
})
