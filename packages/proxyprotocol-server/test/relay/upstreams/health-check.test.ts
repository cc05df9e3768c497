// Health checks against real listeners: what they send, how they end, and what they find.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createTcpServer, Socket, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { parseHeader } from 'proxyprotocol'
import { createServer, readHeader } from 'proxyprotocol/server'
import { closedPort, content, until } from 'test-support/sockets'
import { temporaryFolder } from 'test-support/folder'
import { Resolver } from '../../../src/relay/upstreams/names/resolver.ts'
import { certificateFiles } from '../../support/certificate-files.ts'
import { holdName } from '../../support/names.ts'
import { listenSecure } from '../../support/secure.ts'
import { connectedSockets, listen, outcome, warnings } from '../../support/connections.ts'
import { atEnd } from '../../support/teardown.ts'
import { harness } from '../../support/health-check.ts'

for (const [query, shown] of Object.entries({
  'pp=v2': 'LOCAL in version 2',
  'pp=v1': 'UNKNOWN in version 1',
})) {
  test(`a check of an upstream with ${query} sends ${shown} and its FIN, nothing else`, async t => {
    const far = await listen(t)
    const { check, begin, ended, upstream } = harness(t, `127.0.0.1:${far.port}?${query}`)
    check.start()
    begin()
    const socket = await far.accept()
    const header = parseHeader(await content(socket))
    if (query === 'pp=v2') assert.deepEqual([header.command, header.tlvs], ['LOCAL', []])
    else assert.deepEqual([header.version, header.command, header.family], [1, 'PROXY', 'UNSPEC'])
    socket.end()
    await ended(1)
    assert.equal(upstream.snapshot().checks?.passed, 1)
  })
}

test('a check of a UNIX socket connects there', async t => {
  const path = join(temporaryFolder(t), 'app.sock')
  const { check, begin, ended, upstream } = harness(t, `unix:${path}?pp=v1`)
  check.start()
  begin()
  await ended(1)
  assert.equal(upstream.snapshot().checks?.lastFailure?.code, 'connect_error')
  const server = createTcpServer(socket => socket.end().resume()).listen(path)
  atEnd(t, () => server.close())
  await once(server, 'listening')
  begin()
  await ended(2)
  assert.deepEqual([upstream.snapshot().checks?.passed, upstream.state], [1, 'up'])
})

/** Begins a check of an upstream with TLS that trusts one of the certificates. */
async function beginSecure(t: TestContext, trusted: 'cert' | 'otherCert') {
  const far = await listenSecure(t)
  const { check, begin, ...rest } = harness(
    t,
    `ssl://127.0.0.1:${far.port}?cafile=${certificateFiles(t)[trusted]}`,
  )
  check.start()
  begin()
  return { far, ...rest }
}

test('a check of an upstream with TLS sends its header, and has passed after a good handshake', async t => {
  const { far, ended, upstream } = await beginSecure(t, 'cert')
  const { secure, header } = await far.accept()
  assert.equal(header?.command, 'LOCAL')
  secure.resume().end()
  await ended(1)
  assert.equal(upstream.snapshot().checks?.passed, 1)
})

test('a check of an upstream with TLS has failed where the certificate is not good', async t => {
  const { far, ended, upstream } = await beginSecure(t, 'otherCert')
  void far.accept().catch(() => {})
  await ended(1)
  const { checks } = upstream.snapshot()
  assert.deepEqual([checks?.failed, checks?.lastFailure?.code], [1, 'tls_upstream_error'])
})

for (const [what, query, given] of [
  ['that is sent no headers', 'pp=noop', {}],
  ['whose checks have no header', 'pp=v2', { header: false }],
] as const) {
  test(`a check of an upstream ${what} sends its FIN alone`, async t => {
    const far = await listen(t)
    const { check, begin, ended } = harness(t, `127.0.0.1:${far.port}?${query}`, given)
    check.start()
    begin()
    const socket = await far.accept()
    assert.equal((await content(socket)).length, 0)
    socket.end()
    await ended(1)
  })
}

test("the library's server takes a check for what it is: no warning, and the handler sees LOCAL", async t => {
  const seen: unknown[] = []
  const server = createServer({ trust: ['127.0.0.1'] }, ({ info }) => {
    seen.push(info.header?.command)
  })
  atEnd(t, () => server.close())
  const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
  t.mock.timers.reset() // the first use of them is a warning itself
  await turn()
  warnings(t)
  const { check, begin, ended, upstream } = harness(t, `127.0.0.1:${port}`)
  check.start()
  begin()
  await ended(1)
  assert.equal(upstream.snapshot().checks?.passed, 1)
  assert.deepEqual(seen, ['LOCAL'])
  await until(() => server.stats().active === 0)
  assert.equal(server.stats().closed.done, 1)
})

test("the library's server counts a check without a header as a probe", async t => {
  const server = createServer({ trust: ['127.0.0.1'] }, () => assert.fail('a probe is not a connection'))
  atEnd(t, () => server.close())
  const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
  const { check, begin, ended } = harness(t, `127.0.0.1:${port}`, { header: false })
  check.start()
  begin()
  await ended(1)
  await until(() => server.stats().active === 0)
  assert.equal(server.stats().closed.probe, 1)
})

test('an upstream that speaks first is left with a FIN, not with a reset', async t => {
  const far = await listen(t)
  const { check, begin, ended } = harness(t, `127.0.0.1:${far.port}?pp=noop`)
  check.start()
  begin()
  const socket = await far.accept()
  socket.write('220 ready')
  const { fin, error } = await outcome(socket)
  assert.deepEqual({ fin, error }, { fin: true, error: undefined })
  await ended(1)
})

test('an upstream that resets the check has accepted it', async t => {
  const far = await listen(t)
  const { check, begin, ended, upstream } = harness(t, `127.0.0.1:${far.port}`)
  check.start()
  begin()
  const socket = await far.accept()
  await content(socket)
  socket.resetAndDestroy()
  await ended(1)
  assert.equal(upstream.snapshot().checks?.passed, 1)
})

test('an upstream that does not close is left after the timeout, and has passed', async t => {
  const far = await listen(t)
  const { check, begin, ended, upstream, pass, open } = harness(t, `127.0.0.1:${far.port}`)
  check.start()
  begin()
  await content(await far.accept())
  pass(499)
  assert.equal(open(), 1)
  pass(1)
  await ended(1)
  assert.equal(upstream.snapshot().checks?.passed, 1)
})

test('a check that is refused has failed, and the next good one brings the upstream up', async t => {
  const port = await closedPort()
  const { check, begin, ended, upstream } = harness(t, `127.0.0.1:${port}`)
  check.start()
  begin()
  await ended(1)
  assert.equal(upstream.state, 'down')
  const { checks } = upstream.snapshot()
  assert.deepEqual([checks?.failed, checks?.lastFailure?.code], [1, 'connect_refused'])
  const revived = createTcpServer(socket => socket.resume().end()).listen(port, '127.0.0.1')
  atEnd(t, () => revived.close())
  await once(revived, 'listening')
  begin()
  await ended(2)
  assert.equal(upstream.state, 'up')
})

test('a check of a name without an address looks it up, and has failed where that takes too long', async t => {
  const resolver = new Resolver({ interval: 1_000_000, staleAfter: undefined, now: () => performance.now() })
  atEnd(t, () => resolver.close())
  const name = resolver.name('silent.test')
  const { check, begin, ended, upstream, pass } = harness(t, 'silent.test:80', {
    place: { resolve: options => name.answered(options) },
  })
  const held = holdName(t, 'silent.test')
  check.start()
  begin()
  await held.asked
  pass(500)
  await ended(1)
  assert.equal(upstream.snapshot().checks?.lastFailure?.code, 'connect_timeout')
  held.answer('127.0.0.1')
  await turn()
  begin()
  await ended(2)
  assert.equal(upstream.snapshot().checks?.passed, 1)
})

test('a check that this machine has no descriptor for says nothing of the upstream', async t => {
  const far = await listen(t)
  const { check, begin, ended, upstream } = harness(t, `127.0.0.1:${far.port}`)
  const failing = t.mock.method(Socket.prototype, 'connect', function (this: Socket) {
    return this.destroy(Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' }))
  })
  check.start()
  begin()
  await until(() => failing.mock.callCount() === 1)
  failing.mock.restore()
  for (let i = 0; i < 5; i++) await turn()
  begin()
  const socket = await far.accept()
  socket.resume().end()
  await ended(1)
  const { checks } = upstream.snapshot()
  assert.deepEqual([checks?.passed, checks?.failed, upstream.state], [1, 0, 'up'])
})

test('a check asks the upstream what its type says, behind its header, and the fault says what it got', async t => {
  const far = await listen(t)
  const { check, begin, ended, upstream } = harness(t, `127.0.0.1:${far.port}`, { type: 'redis' })
  check.start()
  begin()
  const socket = await far.accept()
  const { header } = await readHeader(socket)
  assert.equal(header.command, 'LOCAL')
  socket.end('-LOADING\r\n')
  await ended(1)
  const { checks } = upstream.snapshot()
  assert.deepEqual([checks?.type, checks?.failed, checks?.lastFailure?.code], ['redis', 1, 'check_failed'])
  assert.equal(checks?.lastFailure?.message, 'expected +PONG, got "-LOADING"')
  begin()
  const next = await far.accept()
  next.end('+PONG\r\n')
  await ended(2)
  assert.equal(upstream.state, 'up')
})

test('a check by HTTP has passed with its status, also if a reset follows', async t => {
  const far = await listen(t)
  const sockets = connectedSockets(t)
  const { check, begin, ended, upstream } = harness(t, `127.0.0.1:${far.port}`, { type: 'http' })
  check.start()
  begin()
  const socket = await far.accept()
  socket.write('HTTP/1.1 200 OK\r\n\r\n')
  await until(() => Number(sockets()[0]?.bytesRead) > 0)
  socket.resetAndDestroy()
  await ended(1)
  assert.equal(upstream.snapshot().checks?.passed, 1)
})

test('stopping ends a check that waits for an answer, and counts it for nothing', async t => {
  const far = await listen(t)
  const { check, begin, upstream, open } = harness(t, `127.0.0.1:${far.port}`, { type: 'redis' })
  check.start()
  begin()
  await far.accept()
  await until(() => open() === 1)
  await turn()
  check.stop()
  await until(() => open() === 0)
  assert.equal(upstream.snapshot().checks?.failed, 0)
})

for (const [what, address, given] of [
  ['goes to its own port', '127.0.0.1:1', {}],
  ['goes to its own address', '192.0.2.1:1', { address: '127.0.0.1' }],
  ['of a UNIX socket goes to its own address', 'unix:/nowhere', { address: '127.0.0.1' }],
  ['of a UNIX socket goes to its own port on this machine', 'unix:/nowhere', {}],
] as const) {
  test(`a check ${what}`, async t => {
    const far = await listen(t)
    const { check, begin, ended, upstream } = harness(t, address, { ...given, port: far.port })
    check.start()
    begin()
    const socket = await far.accept()
    socket.resume().end()
    await ended(1)
    assert.equal(upstream.snapshot().checks?.passed, 1)
  })
}

test('a check of an upstream with TLS may be without it', async t => {
  const far = await listen(t)
  const { cert } = certificateFiles(t)
  const given = { tls: false, header: false, type: 'redis' } as const
  const { check, begin, ended, upstream } = harness(t, `ssl://127.0.0.1:${far.port}?cafile=${cert}`, given)
  check.start()
  begin()
  const socket = await far.accept()
  socket.end('+PONG\r\n')
  assert.equal(String(await content(socket)), '*1\r\n$4\r\nPING\r\n')
  await ended(1)
  assert.equal(upstream.snapshot().checks?.passed, 1)
})

for (const [what, query, servername, asked] of [
  ['without TLS settings does a handshake, and trusts any certificate', '', undefined, false],
  ['without TLS settings asks for the name that is given', '', 'app.example', 'app.example'],
  ['with TLS settings keeps them, and asks for the name that is given', 'cafile', 'localhost', 'localhost'],
] as const) {
  test(`a check by TLS of an upstream ${what}`, async t => {
    const far = await listenSecure(t)
    const { cert } = certificateFiles(t)
    const address = `127.0.0.1:${far.port}`
    const given = { type: 'tls', servername } as const
    const { check, begin, ended, upstream } = harness(
      t,
      query === '' ? address : `ssl://${address}?cafile=${cert}`,
      given,
    )
    check.start()
    begin()
    const { secure } = await far.accept()
    assert.equal(secure.servername, asked)
    secure.resume().end()
    await ended(1)
    assert.equal(upstream.snapshot().checks?.passed, 1)
  })
}

test('a check by TLS fails where the upstream does not speak it', async t => {
  const far = await listen(t)
  const { check, begin, ended, upstream } = harness(t, `127.0.0.1:${far.port}`, { type: 'tls' })
  check.start()
  begin()
  const socket = await far.accept()
  socket.end('220 mail.example\r\n')
  await ended(1)
  assert.equal(upstream.snapshot().checks?.lastFailure?.code, 'tls_upstream_error')
})
