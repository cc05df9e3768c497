// How many connections an upstream may have, who waits for one, and where connections come from.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { closedPort, until } from 'test-support/sockets'
import type { ConfigError } from '../../src/config/index.ts'
import { parseService, type ServiceOptions } from '../../src/config/index.ts'
import { chunk, dial, listen, outcome, type Listener } from '../support/connections.ts'
import { startRelay, type TestRelay } from '../support/relay.ts'

interface Limited {
  readonly relay: TestRelay
  readonly upstream: Listener
  /** Waits for so many connections in the queue. */
  readonly queued: (count: number) => Promise<void>
}

async function limited(
  t: TestContext,
  options: ServiceOptions & { maxConnections?: number },
): Promise<Limited> {
  const upstream = await listen(t)
  const { maxConnections = 1, ...others } = options
  const address = `127.0.0.1:${upstream.port}?pp=noop`
  const relay = await startRelay(t, [{ address, maxConnections }], others)
  return { relay, upstream, queued: count => until(() => waiting(relay) === count) }
}

function waiting(relay: TestRelay): number | undefined {
  return relay.upstreams().queues[0]?.waiting
}

test('maxConnections: those above it wait, and each that ends lets the first of them go, its bytes not lost', async t => {
  const { relay, upstream, queued } = await limited(t, { maxConnections: 2 })
  for (let i = 0; i < 2; i++) dial(t, relay.port)
  const [first] = [await upstream.accept(), await upstream.accept()]
  for (const [at, text] of ['one', 'two'].entries()) {
    dial(t, relay.port).write(text)
    await queued(at + 1)
  }
  assert.equal(upstream.accepted, 2)
  first.resetAndDestroy()
  assert.equal((await chunk(await upstream.accept())).toString(), 'one')
  await queued(1)
})

test('maxConnections: a client beyond the queue is reset as limit_upstream', async t => {
  const { relay, upstream, queued } = await limited(t, { queue: { size: 1 } })
  dial(t, relay.port)
  await upstream.accept()
  dial(t, relay.port)
  await queued(1)
  assert.equal((await outcome(dial(t, relay.port))).error, 'ECONNRESET')
  const { reason, error } = await relay.record()
  assert.equal(reason, 'limit_upstream')
  assert.match(error?.message ?? '', /the queue for them is full: 1 wait$/)
})

test('maxConnections: with a queue of none, clients are reset at once', async t => {
  const { relay, upstream } = await limited(t, { queue: { size: 0 } })
  dial(t, relay.port)
  await upstream.accept()
  await outcome(dial(t, relay.port))
  assert.equal((await relay.record()).reason, 'limit_upstream')
})

test('maxConnections: a client that waits too long is reset as queue_timeout', async t => {
  const { relay, upstream, queued } = await limited(t, { queue: { timeout: '20ms' } })
  dial(t, relay.port)
  await upstream.accept()
  assert.equal((await outcome(dial(t, relay.port))).error, 'ECONNRESET')
  assert.equal((await relay.record()).reason, 'queue_timeout')
  await queued(0)
})

test('maxConnections: a client that goes away while it waits gives up its turn', async t => {
  const { relay, upstream, queued } = await limited(t, {})
  dial(t, relay.port)
  const far = await upstream.accept()
  const client = dial(t, relay.port)
  await once(client, 'connect')
  await queued(1)
  client.resetAndDestroy()
  assert.equal((await relay.record()).reason, 'probe')
  await queued(0)
  far.resetAndDestroy()
  await relay.record(1)
})

test('maxConnections: the time in the queue is not that for connecting', async t => {
  const { relay, upstream, queued } = await limited(t, { timeouts: { connect: 1_000 } })
  let clock = 0
  const timed = await startRelay(t, [{ address: `127.0.0.1:${upstream.port}?pp=noop`, maxConnections: 1 }], {
    timeouts: { connect: 1_000 },
    now: () => clock,
  })
  dial(t, timed.port)
  const far = await upstream.accept()
  dial(t, timed.port).write('late')
  await until(() => waiting(timed) === 1)
  clock += 4_000
  far.resetAndDestroy()
  assert.equal((await chunk(await upstream.accept())).toString(), 'late')
  await queued(0)
  assert.equal(relay.records.length, 0)
})

test('maxConnections: another upstream with room gets the connection, a backup does not', async t => {
  const [one, two, backup] = [await listen(t), await listen(t), await listen(t)]
  const to = ({ port }: Listener): string => `127.0.0.1:${port}?pp=noop`
  const relay = await startRelay(t, [
    { address: to(one), maxConnections: 1 },
    { address: to(two), maxConnections: 2 },
    { address: to(backup), backup: true },
  ])
  for (let i = 0; i < 3; i++) dial(t, relay.port)
  await until(() => one.accepted === 1 && two.accepted === 2)
  dial(t, relay.port)
  await until(() => waiting(relay) === 1)
  assert.equal(backup.accepted, 0)
})

test('maxConnections: an attempt that fails gives its room back, and those that wait learn that all are down', async t => {
  const port = await closedPort()
  const relay = await startRelay(t, [{ address: `127.0.0.1:${port}`, maxConnections: 1 }], {
    retries: 0,
    health: { fails: 1, check: { interval: 1_000_000 } },
  })
  await Promise.all(Array.from({ length: 3 }, () => outcome(dial(t, relay.port))))
  await relay.record(2)
  assert.equal(waiting(relay), 0)
  for (const { reason } of relay.records) assert.match(reason, /^(?:connect_refused|no_upstream)$/)
})

test('source: connections and checks come from the address that is given', async t => {
  const upstream = await listen(t)
  const address = `127.0.0.1:${upstream.port}?pp=noop`
  const relay = await startRelay(t, [{ address, source: '127.0.0.3' }], {
    health: { check: { interval: 1 } },
  })
  const check = await upstream.accept()
  assert.equal(check.remoteAddress, '127.0.0.3')
  check.destroy()
  dial(t, relay.port).write('hello')
  for (;;) {
    const far = await upstream.accept()
    assert.equal(far.remoteAddress, '127.0.0.3')
    const first = await Promise.race([
      once(far, 'readable').then(() => far.read() as Buffer | null),
      once(far, 'close'),
    ])
    far.destroy()
    if (first instanceof Buffer) break
  }
})

test('source, maxConnections and queue are refused where they cannot be', () => {
  const fault = (upstream: object, options: ServiceOptions = {}): string => {
    try {
      parseService(':1', [{ address: '127.0.0.1:2', ...upstream }], options)
      return ''
    } catch (error) {
      return (error as ConfigError).message
    }
  }
  assert.equal(fault({ source: '192.0.2.1', maxConnections: 5 }, { queue: { timeout: '5s' } }), '')
  assert.equal(fault({ address: 'app.example:2', source: '::1' }), '')
  for (const [upstream, message] of [
    [{ source: 'eth0' }, 'upstreams[0].source must be an IP address of this machine, got "eth0"'],
    [{ source: '::1' }, 'upstreams[0].source must be an IPv4 address like the upstream, got "::1"'],
    [
      { address: 'unix:/run/a', source: '::1' },
      'upstreams[0].source must not stand at a UNIX socket, which has no addresses',
    ],
    [{ maxConnections: 0 }, 'upstreams[0].maxConnections must be an integer from 1, got 0'],
  ] as const) {
    assert.equal(fault(upstream), message)
  }
})
