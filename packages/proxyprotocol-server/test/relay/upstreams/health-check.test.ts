// Checks against real listeners: what they send, how they leave, what they find out, and that they end.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createTcpServer, Socket, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { parseHeader, ProxyProtocolError } from 'proxyprotocol'
import { createServer } from 'proxyprotocol/server'
import { parseAddress, settlePool, type ActiveCheck } from '../../../src/config/index.ts'
import { HealthCheck } from '../../../src/relay/upstreams/health-check.ts'
import { Member, type MemberTarget } from '../../../src/relay/upstreams/member.ts'
import { Resolver } from '../../../src/relay/upstreams/resolver.ts'
import { UpstreamTls } from '../../../src/relay/upstreams/upstream-tls.ts'
import { certificateFiles, directory } from '../../support/certificates.ts'
import { holdName } from '../../support/names.ts'
import { listenSecure } from '../../support/secure.ts'
import {
  closedPort,
  connectedSockets,
  content,
  listen,
  outcome,
  until,
  warnings,
} from '../../support/sockets.ts'
import { atEnd } from '../../support/teardown.ts'

const INTERVAL = 1_000
const COOLDOWN = 400
/** What a try may take where there are no checks. */
const PATIENCE = 300

interface Harness {
  readonly upstream: Member
  readonly check: HealthCheck
  /** Lets the timers go on. */
  readonly pass: (milliseconds: number) => void
  /** Lets the next check begin. */
  readonly begin: () => void
  /** Resolves when so many checks have ended. */
  readonly ended: (count: number) => Promise<void>
  /** The sockets of all checks that have not ended. */
  readonly open: () => number
}

interface StageOptions extends Partial<ActiveCheck> {
  /** Has no checks, and is tried only while it is marked. */
  readonly unchecked?: boolean
  readonly place?: MemberTarget
}

/** A member under check; time stands still unless the test lets it pass. */
function harness(t: TestContext, address: string, options: StageOptions = {}): Harness {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { unchecked = false, place = {}, ...given } = options
  const checks = { interval: INTERVAL, timeout: 500, rise: 1, fall: 1, ...given }
  const { upstreams, ...settled } = settlePool({
    upstreams: [{ address: parseAddress(address, { role: 'upstream' }) }],
    health: { fails: 1, cooldown: COOLDOWN, ...(unchecked ? {} : { check: checks }) },
  })
  const [settings] = upstreams
  assert.ok(settings)
  const now = (): number => performance.now()
  let tries = 0
  const upstream = new (class extends Member {
    override checked(fault: ProxyProtocolError | undefined): void {
      super.checked(fault)
      tries++
    }
  })(settings, place, { ...settled, now, tell: () => undefined, onChange: () => check.reconsider() })
  const tls = new UpstreamTls(upstreams)
  const check = new HealthCheck(upstream, {
    ...{ check: settled.check, tls, cooldown: COOLDOWN, patience: PATIENCE },
  })
  const made = connectedSockets(t)
  const open = (): number => made().filter(({ closed }) => !closed).length
  atEnd(t, async () => {
    check.stop()
    upstream.hush()
    await until(() => open() === 0)
  })
  return {
    upstream,
    check,
    open,
    pass: milliseconds => t.mock.timers.tick(milliseconds),
    begin: () => t.mock.timers.tick(INTERVAL),
    ended: async count => {
      await until(() => tries === count)
      await turn() // the next check is set once the last has been counted
    },
  }
}

/** A client's connection that fails. */
async function failClient(upstream: Member): Promise<void> {
  const fault = new ProxyProtocolError('connect_refused')
  await assert.rejects(
    upstream.attempt(() => Promise.reject(fault)),
    fault,
  )
}

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
  const path = join(directory(t), 'app.sock')
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

test('a check of an upstream with TLS sends its header, and has passed after a good handshake', async t => {
  const far = await listenSecure(t)
  const { cert } = certificateFiles(t)
  const { check, begin, ended, upstream } = harness(t, `ssl://127.0.0.1:${far.port}?cafile=${cert}`)
  check.start()
  begin()
  const { secure, header } = await far.accept()
  assert.equal(header?.command, 'LOCAL')
  secure.resume().end()
  await ended(1)
  assert.equal(upstream.snapshot().checks?.passed, 1)
})

test('a check of an upstream with TLS has failed where the certificate is not good', async t => {
  const far = await listenSecure(t)
  const { otherCert } = certificateFiles(t)
  const { check, begin, ended, upstream } = harness(t, `ssl://127.0.0.1:${far.port}?cafile=${otherCert}`)
  check.start()
  begin()
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
  const server = createServer({ trust: ['127.0.0.1'] }, () => assert.fail('a probe is no connection'))
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

test('without checks a member is tried when it is marked, a cooldown later, and one good try is enough', async t => {
  const far = await listen(t)
  const { check, upstream, pass, ended } = harness(t, `127.0.0.1:${far.port}`, { unchecked: true })
  check.start()
  pass(100 * COOLDOWN)
  await failClient(upstream)
  pass(COOLDOWN - 1)
  assert.deepEqual([far.accepted, upstream.state], [0, 'down'])
  pass(1)
  const socket = await far.accept()
  assert.equal(parseHeader(await content(socket)).command, 'LOCAL')
  await ended(1)
  assert.deepEqual(
    [upstream.state, upstream.snapshot().checks],
    ['up', undefined],
    'before the other side ends',
  )
  socket.end()
  pass(100 * COOLDOWN)
  await turn()
  assert.equal(far.accepted, 1)
})

test('a try that fails is followed by another, a cooldown later', async t => {
  const port = await closedPort()
  const { check, upstream, pass, ended } = harness(t, `127.0.0.1:${port}`, { unchecked: true })
  check.start()
  await failClient(upstream)
  for (const count of [1, 2, 3]) {
    pass(COOLDOWN)
    await ended(count)
    assert.deepEqual([upstream.state, upstream.snapshot().lastFailure?.code], ['down', 'connect_refused'])
  }
  assert.deepEqual(
    upstream.snapshot().failures,
    { connect_refused: 1 },
    'tries of its own are no connections',
  )
})

test('a member that a client was served by in the meantime is not tried', async t => {
  const far = await listen(t)
  const { check, upstream, pass } = harness(t, `127.0.0.1:${far.port}`, { unchecked: true })
  check.start()
  await failClient(upstream)
  upstream.checked(undefined)
  pass(100 * COOLDOWN)
  await turn()
  assert.equal(far.accepted, 0)
})

test('a mark that was there before the start is tried as well, and one of a pool that does not run is not', async t => {
  const far = await listen(t)
  const { check, upstream, pass } = harness(t, `127.0.0.1:${far.port}`, { unchecked: true })
  await failClient(upstream)
  pass(100 * COOLDOWN)
  await turn()
  assert.equal(far.accepted, 0)
  check.start()
  pass(COOLDOWN)
  await far.accept()
})

test('two checks of one upstream never meet: the next begins an interval after the last has ended', async t => {
  const far = await listen(t)
  const { check, begin, ended, pass } = harness(t, `127.0.0.1:${far.port}`, { timeout: 100_000 })
  check.start()
  begin()
  const first = await far.accept()
  await content(first)
  pass(20 * INTERVAL)
  assert.equal(far.accepted, 1)
  first.end()
  await ended(1)
  pass(INTERVAL - 1)
  assert.equal(far.accepted, 1)
  pass(1)
  await far.accept()
  assert.equal(far.accepted, 2)
})

test('the first check begins at random within one interval', async t => {
  const far = await listen(t)
  const { check, pass } = harness(t, `127.0.0.1:${far.port}`)
  t.mock.method(Math, 'random', () => 0.25)
  check.start()
  pass(INTERVAL / 4 - 1)
  assert.equal(far.accepted, 0)
  pass(1)
  await far.accept()
})

test('stopping ends the check that is under way, counts it for nothing, and begins no other', async t => {
  const far = await listen(t)
  const { check, begin, upstream, open, pass } = harness(t, `127.0.0.1:${far.port}`)
  check.start()
  begin()
  await content(await far.accept())
  check.stop()
  await until(() => open() === 0)
  pass(100 * INTERVAL)
  const { checks } = upstream.snapshot()
  assert.deepEqual([checks?.passed, checks?.failed, far.accepted], [0, 0, 1])
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
