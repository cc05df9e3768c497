// Which clients a relay lets in, by real connections behind headers of each kind.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { encodeHeader, tlv, type HeaderInit } from 'proxyprotocol'
import { until } from 'test-support/sockets'
import { temporaryFolder } from 'test-support/folder'
import type { ServiceOptions } from '../../../src/config/index.ts'
import { startRelay, type TestRelay } from '../../support/relay.ts'
import { dial, listen, outcome } from '../../support/connections.ts'

const destination = { address: '198.51.100.7', port: 443 }
const LOCAL: HeaderInit = { command: 'LOCAL' }
const UNKNOWN: HeaderInit = { version: 1, family: 'UNSPEC' }

function from(address: string, endpoint?: string): HeaderInit {
  const family = address.includes(':') ? { address: '2001:db8::7', port: 443 } : destination
  const tlvs = endpoint === undefined ? [] : [tlv.aws(endpoint)]
  return { source: { address, port: 1 }, destination: family, tlvs }
}

interface Guarded {
  readonly relay: TestRelay
  /** Whether a connection gets to the upstream. */
  readonly enters: (header?: HeaderInit) => Promise<boolean>
}

async function guarded(t: TestContext, options: ServiceOptions & { source?: string }): Promise<Guarded> {
  const upstream = await listen(t)
  const behindProxy = { source: '127.0.0.1:0?pp=detect', trust: 'anyone' } as const
  const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=noop`, { ...behindProxy, ...options })
  const enters = async (header?: HeaderInit): Promise<boolean> => {
    const denied = (): number => relay.server.stats().closed.denied_acl
    const before = { accepted: upstream.accepted, denied: denied() }
    const client = dial(t, relay.port)
    if (header) client.write(encodeHeader(header))
    client.end()
    const ended = outcome(client)
    await until(() => upstream.accepted > before.accepted || denied() > before.denied)
    const enters = upstream.accepted > before.accepted
    if (enters) (await upstream.accept()).resume().end()
    await ended
    return enters
  }
  return { relay, enters }
}

async function assertEnters(
  { enters }: Guarded,
  cases: readonly (readonly [HeaderInit, boolean])[],
): Promise<void> {
  for (const [header, expected] of cases) {
    assert.equal(await enters(header), expected, JSON.stringify(header))
  }
}

test('allow lets the clients of its networks in, and no others, UNKNOWN included; LOCAL passes', async t => {
  const relay = await guarded(t, { allow: ['192.0.2.0/24', '2001:db8::/32'] })
  await assertEnters(relay, [
    [from('192.0.2.1'), true],
    [from('2001:db8::1'), true],
    [from('::ffff:192.0.2.1'), true],
    [from('198.51.100.1'), false],
    [from('::1'), false],
    [UNKNOWN, false],
    [LOCAL, true],
  ])
})

test('deny refuses the clients of its networks, also where allow has them; UNKNOWN and LOCAL pass', async t => {
  const relay = await guarded(t, { deny: ['192.0.2.1', '127.0.0.0/8'] })
  await assertEnters(relay, [
    [from('192.0.2.1'), false],
    [from('192.0.2.2'), true],
    [UNKNOWN, true],
    [LOCAL, true],
  ])
  const both = await guarded(t, { allow: ['192.0.2.0/24'], deny: ['192.0.2.1'] })
  await assertEnters(both, [
    [from('192.0.2.1'), false],
    [from('192.0.2.2'), true],
  ])
})

test('a client on a UNIX socket is in the network unix alone', async t => {
  const header: HeaderInit = { source: { path: '/run/client' }, destination: { path: '/run/server' } }
  assert.equal(await (await guarded(t, { allow: ['unix'] })).enters(header), true)
  assert.equal(await (await guarded(t, { allow: ['0.0.0.0/0', '::/0'] })).enters(header), false)
})

test('a peer on a UNIX socket that the service listens at is in the network unix alone', async t => {
  for (const [allow, reason] of [
    ['unix', 'done'],
    ['127.0.0.1', 'denied_acl'],
  ] as const) {
    const upstream = await listen(t)
    const path = join(temporaryFolder(t), 'relay.sock')
    const relay = await startRelay(t, `127.0.0.1:${upstream.port}?pp=noop`, {
      source: `unix:${path}`,
      allow: [allow],
    })
    const client = connect({ path }).on('error', () => {})
    if (reason === 'done') (await upstream.accept()).resume().end()
    await outcome(client.end())
    await until(() => relay.server.stats().closed[reason] === 1)
  }
})

test('aclFrom "peer" looks at the other end of the connection, whatever the header announces', async t => {
  const allowed = await guarded(t, { allow: ['127.0.0.1'], aclFrom: 'peer' })
  await assertEnters(allowed, [
    [from('192.0.2.1'), true],
    [UNKNOWN, true],
    [LOCAL, true],
  ])
  const refused = await guarded(t, { deny: ['127.0.0.1'], aclFrom: 'peer' })
  await assertEnters(refused, [
    [from('192.0.2.1'), false],
    [LOCAL, false],
  ])
})

test('allowVpce asks for one of its endpoints, beside what allow says', async t => {
  const relay = await guarded(t, { allow: ['192.0.2.0/24'], allowVpce: ['vpce-1', 'vpce-2'] })
  await assertEnters(relay, [
    [from('192.0.2.1', 'vpce-2'), true],
    [from('192.0.2.1', 'vpce-3'), false],
    [from('192.0.2.1'), false],
    [from('198.51.100.1', 'vpce-1'), false],
    [LOCAL, true],
  ])
  const peers = await guarded(t, { allow: ['127.0.0.1'], aclFrom: 'peer', allowVpce: ['vpce-1'] })
  await assertEnters(peers, [
    [LOCAL, true],
    [from('192.0.2.1'), false],
  ])
})

test('a service without headers judges the peer itself, and overLimit does not matter to these lists', async t => {
  const source = '127.0.0.1:0'
  const { enters } = await guarded(t, { source, trust: undefined, deny: ['127.0.0.1'], overLimit: 'reset' })
  assert.equal(await enters(), false)
  const allowed = await guarded(t, { source, trust: undefined, allow: ['127.0.0.1'] })
  assert.equal(await allowed.enters(), true)
})

test('files are read again for the connections to come, and a bad one changes nothing', async t => {
  const file = join(temporaryFolder(t), 'deny.txt')
  writeFileSync(file, '192.0.2.1\n')
  const { relay, enters } = await guarded(t, { deny: [`file:${file}`], allow: ['192.0.2.0/24'] })
  assert.equal(await enters(from('192.0.2.1')), false)
  assert.equal(relay.reloadNetworks(), undefined)
  writeFileSync(file, '192.0.2.2\n192.0.2.3\n')
  assert.equal(await enters(from('192.0.2.2')), true)
  assert.deepEqual(relay.reloadNetworks(), { allow: 1, deny: 2 })
  assert.equal(await enters(from('192.0.2.1')), true)
  assert.equal(await enters(from('192.0.2.2')), false)
  writeFileSync(file, '192.0.2.300\n')
  assert.throws(() => relay.reloadNetworks(), /ConfigError: .*deny\.txt:1:1: /)
  assert.equal(await enters(from('192.0.2.2')), false)
})

test('a service without lists has none to read again', async t => {
  const { relay } = await guarded(t, {})
  assert.equal(relay.reloadNetworks(), undefined)
})
