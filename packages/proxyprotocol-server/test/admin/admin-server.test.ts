// The admin listener as an HTTP server: what it answers to whom, and what no client can use up.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Server } from 'node:http'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { content } from 'test-support/sockets'
import { AdminServer } from '../../src/admin/index.ts'
import type { Readiness } from '../../src/figures/index.ts'
import { adminSource, startAdmin } from '../support/admin.ts'
import { ask } from '../support/http.ts'
import { dial, listen, outcome } from '../support/connections.ts'
import { atEnd } from '../support/teardown.ts'

/** Sends bytes as they are, and gives all that comes back. */
async function raw(t: TestContext, port: number, bytes: string): Promise<string> {
  const socket = dial(t, port)
  socket.write(bytes)
  const answer = await content(socket)
  socket.end()
  return answer.toString()
}

test('it listens on the loopback unless a host is named', async t => {
  const { admin, port } = await startAdmin(t)
  assert.equal((await ask(port, '/livez')).status, 200)
  await admin.close()
  const named = new AdminServer(adminSource(), { onError: () => {} })
  atEnd(t, () => named.close())
  const { address } = await named.listen({ host: '127.0.0.2', port: 0 })
  assert.equal(address, '127.0.0.2')
})

test('/livez is 200 whatever the state; /readyz is 200 while ready, and 503 before, without an upstream that is needed, and while draining', async t => {
  let state: Readiness = 'starting'
  const { port } = await startAdmin(t, { readiness: () => state })
  const statuses: unknown[] = []
  for (state of ['starting', 'ready', 'no_upstream', 'draining'] as const) {
    const [live, ready] = [await ask(port, '/livez'), await ask(port, '/readyz')]
    statuses.push([live.status, ready.status, JSON.parse(ready.body)])
  }
  assert.deepEqual(statuses, [
    [200, 503, { status: 'starting' }],
    [200, 200, { status: 'ready' }],
    [200, 503, { status: 'no_upstream' }],
    [200, 503, { status: 'draining' }],
  ])
})

test('other processes list their connections for /stats.json, and not for /metrics', async t => {
  const asked: boolean[] = []
  const { port } = await startAdmin(t, {
    refresh: async listing => {
      await Promise.resolve(asked.push(listing))
    },
  })
  for (const path of ['/metrics', '/stats.json']) await ask(port, path)
  assert.deepEqual(asked, [false, true])
})

test('no answer is kept by anybody, or taken for something else', async t => {
  const { port } = await startAdmin(t)
  for (const path of ['/livez', '/readyz', '/metrics', '/stats.json', '/none']) {
    const { headers } = await ask(port, path)
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    const type = path === '/metrics' ? /^text\/plain; version=0\.0\.4/ : /^application\/json; charset=utf-8$/
    assert.match(headers['content-type'] ?? '', type)
  }
})

test('HEAD is answered without a body, a query is ignored, and any other path is 404 in JSON', async t => {
  const { port } = await startAdmin(t)
  const { status, body, headers } = await ask(port, '/stats.json', { method: 'HEAD' })
  assert.deepEqual([status, body], [200, ''])
  assert.ok(Number(headers['content-length']) > 100)
  assert.equal((await ask(port, '/livez?verbose')).status, 200)
  for (const path of ['//', '/metrics/', '/LIVEZ', '/livez/../metrics', '*']) {
    const answer = await ask(port, path)
    assert.equal(answer.status, 404, path)
    assert.match((JSON.parse(answer.body) as { error: string }).error, /\/livez/)
  }
})

test('any method but GET and HEAD is 405, and says what would do', async t => {
  const { port } = await startAdmin(t)
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) {
    const { status, headers } = await ask(port, '/metrics', { method })
    assert.deepEqual([status, headers.allow], [405, 'GET, HEAD'], method)
  }
})

test('a host that is neither localhost, an IP address nor a known name is 403', async t => {
  const { port } = await startAdmin(t, {}, ['Proxy.Example.'])
  const known = [
    'localhost',
    `LOCALHOST:${port}`,
    '127.0.0.1',
    `[::1]:${port}`,
    '192.0.2.7:80',
    'proxy.example:1',
  ]
  for (const host of known) assert.equal((await ask(port, '/livez', { headers: { host } })).status, 200, host)
  const strange = [
    'evil.example',
    `evil.example:${port}`,
    'localhost.evil.example',
    '[evil]',
    '[::1',
    'a:b',
    '1.2.3',
  ]
  for (const host of strange) {
    const { status, body } = await ask(port, '/metrics', { headers: { host } })
    assert.equal(status, 403, host)
    assert.doesNotMatch(body, /proxyprotocol_/)
  }
  assert.match(
    await raw(t, port, 'GET /livez HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1\.1 403 /,
  )
  assert.match(await raw(t, port, 'GET /livez HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /)
  assert.match(await raw(t, port, 'GET /livez HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /)
})

test('a request with more than 8 KiB of headers, and one that is none, are refused', async t => {
  const { port } = await startAdmin(t)
  const long = `GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`
  assert.match(await raw(t, port, long), /^HTTP\/1\.1 431 /)
  assert.match(await raw(t, port, 'PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\n\r\n'), /^HTTP\/1\.1 400 /)
})

test('a request that dawdles for five seconds is cut off, and takes nothing from others', async t => {
  const { port } = await startAdmin(t)
  const began = performance.now()
  const dawdling = raw(t, port, 'GET /livez HTTP/1.1\r\nHost: local')
  assert.equal((await ask(port, '/livez')).status, 200)
  assert.match(await dawdling, /^HTTP\/1\.1 408 /)
  assert.ok(performance.now() - began < 8_000)
})

test('more than sixteen connections at a time are turned away, and there is room again when they are gone', async t => {
  const { port } = await startAdmin(t)
  const sockets = Array.from({ length: 16 }, () => connect({ port, host: '127.0.0.1' }))
  for (const socket of sockets) {
    atEnd(t, () => socket.destroy())
    await once(socket, 'connect')
  }
  const { bytes } = await outcome(dial(t, port))
  assert.equal(bytes.length, 0)
  const [one] = sockets
  assert.ok(one)
  one.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  assert.match((await content(one)).toString(), /^HTTP\/1\.1 200 /)
  await once(one, 'close')
  for (;;) {
    const answer = await ask(port, '/livez').catch(() => undefined)
    if (answer?.status === 200) break
  }
})

test('what cannot be read is 500 and reported, and does not end the listener', async t => {
  const fault = new Error('a bug')
  let broken = false
  const { port, errors } = await startAdmin(t, {
    services: () => {
      if (broken) throw fault
      return []
    },
  })
  broken = true
  assert.equal((await ask(port, '/stats.json')).status, 500)
  assert.deepEqual(errors, [fault])
  broken = false
  assert.equal((await ask(port, '/stats.json')).status, 200)
})

test('a fault of the listener is reported, and does not end it', async t => {
  const servers = t.mock.method(Server.prototype, 'listen')
  const { port, errors } = await startAdmin(t)
  const [call] = servers.mock.calls
  const fault = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE', syscall: 'accept' })
  ;(call?.this as NodeJS.EventEmitter).emit('error', fault)
  assert.deepEqual(errors, [fault])
  assert.equal((await ask(port, '/livez')).status, 200)
})

test('an address in use is an error of listen(), and close() ends what never listened', async t => {
  const { port } = await listen(t)
  const admin = new AdminServer(adminSource(), { onError: () => {} })
  await assert.rejects(admin.listen({ port }), { code: 'EADDRINUSE' })
  await admin.close()
})

test('close() ends connections that are idle or dawdle, and resolves when all is over', async t => {
  const { admin, port } = await startAdmin(t)
  const idle = dial(t, port)
  idle.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(idle, 'data')
  const ended = outcome(idle)
  await admin.close()
  await ended
  const again = await ask(port, '/livez').catch((error: unknown) => error)
  assert.ok(again instanceof Error && 'code' in again && again.code === 'ECONNREFUSED')
})
