// How refused connections are reported: onRejected, NODE_DEBUG and process warnings.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { outcome, turns, until } from 'test-support/sockets'
import { ProxyProtocolError } from '../../../src/codec/index.ts'
import { Refusals } from '../../../src/server/admission/index.ts'
import {
  attach,
  createServer,
  diagnosticsChannels,
  type AcceptedMessage,
  type AttachOptions,
  type ConnectionInfo,
} from '../../../src/server/index.ts'
import { doors } from '../../support/doors.ts'
import { SOURCE, V2 } from '../../support/headers.ts'
import { send } from '../../support/admitted.ts'
import { collect, createHarness, over, type Harness } from '../../support/harness.ts'
import { support } from '../../support/program.ts'

const info = { via: { peer: { address: '10.0.0.9', port: 4242 } } } as unknown as ConnectionInfo // as far as it is read
const untrusted = new ProxyProtocolError('untrusted_peer')

/** The process warnings about refusals until the test ends. */
function listenForWarnings(t: TestContext): (Error & { code?: string })[] {
  const seen: (Error & { code?: string })[] = []
  const onWarning = (warning: Error): void => void seen.push(warning)
  process.on('warning', onWarning)
  t.after(() => process.off('warning', onWarning))
  return seen
}

/** Two servers without a subscriber: the port of each, and what ends it. */
async function listenUnobserved(harness: Harness, options: AttachOptions): Promise<readonly number[]> {
  const server = harness.watch(createServer(options, () => undefined))
  const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
  const attached = attach(net.createServer(), options).listen(0, '127.0.0.1')
  await once(attached, 'listening')
  harness.defer(async () => {
    attached.close()
    await once(attached, 'close')
  })
  return [port, (attached.address() as AddressInfo).port]
}

for (const [name, open] of doors) {
  test(`${name}: onRejected runs once for each refusal with its error and info, and not for a probe`, async t => {
    const harness = createHarness(t)
    const calls: [string, string | undefined][] = []
    const onRejected: AttachOptions['onRejected'] = (error, { source }) =>
      calls.push([error.code, source && 'address' in source ? source.address : undefined])
    const validate = (): ProxyProtocolError => new ProxyProtocolError('denied_acl')
    const door = await open(t, harness, { options: { validate, onRejected } })
    for (const bytes of ['', 'GET / HTTP/1.1\r\n\r\n', V2]) await send(harness, door.port, bytes)
    await until(() => calls.length === 2)
    assert.deepEqual(calls, [
      ['header_missing', '127.0.0.1'],
      ['denied_acl', SOURCE.address],
    ])
    assert.deepEqual(
      door.refused.map(({ error }) => error.code),
      ['header_missing', 'denied_acl'],
    )
  })

  for (const [how, onRejected] of [
    ['throws', () => assert.fail('fault')],
    ['rejects', () => Promise.reject(new Error('fault'))],
  ] as const) {
    test(`${name}: an onRejected that ${how} is a process warning, and changes nothing`, async t => {
      const harness = createHarness(t)
      const door = await open(t, harness, { options: { onRejected } })
      assert.equal((await send(harness, door.port, 'junk')).text, '')
      await turns(2)
      const [warning, ...more] = await harness.warnings()
      assert.match(String(warning), /^ProxyProtocolWarning: onRejected failed with .*fault/)
      assert.deepEqual(more, [])
    })
  }
}

test('onRejected gets the refusals of a server that reads no header', async t => {
  const harness = createHarness(t)
  const codes: string[] = []
  const served = await harness.serve(() => assert.fail('it was refused'), {
    version: 'none',
    validate: () => new ProxyProtocolError('denied_acl'),
    onRejected: ({ code }) => codes.push(code),
  })
  await outcome(harness.dial(served.port).end('hello'))
  await over(served, 1)
  assert.deepEqual(codes, ['denied_acl'])
})

test('a server that is closed does not report the connections that it ends', async t => {
  const harness = createHarness(t)
  const server = attach(net.createServer(), {
    trust: 'anyone',
    onRejected: () => assert.fail('it was not refused'),
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted: AcceptedMessage[] = []
  collect(t, diagnosticsChannels.accepted, { server, seen: accepted })
  const client = harness.dial((server.address() as AddressInfo).port)
  client.write(V2.subarray(0, 5))
  await until(() => accepted.length === 1)
  server.close()
  await outcome(client)
})

test('without onRejected and without a subscriber a refusal is a warning that names the peer and what to do', async t => {
  const harness = createHarness(t)
  const warnings = listenForWarnings(t)
  for (const port of await listenUnobserved(harness, { trust: ['192.0.2.0/24'] })) {
    for (let clients = 0; clients < 2; clients++) await outcome(harness.dial(port).end('hello'))
  }
  await until(() => warnings.length === 2)
  const message =
    'refused a connection from 127.0.0.1: the peer is not trusted to send a PROXY protocol header: 127.0.0.1; ' +
    'if this is your load balancer, add its address to trust; set onRejected to get every refusal'
  for (const warning of warnings) {
    assert.deepEqual(
      [warning.name, warning.code, warning.message],
      ['ProxyProtocolWarning', 'untrusted_peer', message],
    )
  }
})

test('with a subscriber to the channel a refusal is not a warning', async t => {
  const harness = createHarness(t)
  const warnings = listenForWarnings(t)
  const refused: unknown[] = []
  const onMessage = (message: unknown): void => void refused.push(message)
  subscribe(diagnosticsChannels.rejected, onMessage)
  t.after(() => unsubscribe(diagnosticsChannels.rejected, onMessage))
  for (const port of await listenUnobserved(harness, { trust: [] })) {
    await outcome(harness.dial(port).end('hello'))
  }
  await until(() => refused.length === 2)
  await turns(1)
  assert.deepEqual(warnings, [])
})

test('each code warns at once, and then at most once a minute with the number of those in between', async t => {
  const warnings = listenForWarnings(t)
  let now = 0
  const refusals = new Refusals(undefined, () => now)
  const at = (time: number, error = untrusted): void => {
    now = time
    refusals.report(error, info, false)
  }
  at(0)
  at(1)
  at(2, new ProxyProtocolError('v1_port'))
  at(59_999)
  at(60_000)
  at(120_000)
  await turns(1)
  assert.deepEqual(
    warnings.map(({ code, message }) => [code, / \((.*)\)$/.exec(message)?.[1]]),
    [
      ['untrusted_peer', undefined],
      ['v1_port', undefined],
      ['untrusted_peer', '2 more with this code since the last warning'],
      ['untrusted_peer', undefined],
    ],
  )
  assert.match(warnings[1]?.message ?? '', /check the PROXY protocol settings of this peer/)
})

test('a refused peer without an address is named as that', async t => {
  const warnings = listenForWarnings(t)
  for (const peer of [undefined, { path: '/run/app' }]) {
    new Refusals(undefined).report(untrusted, { via: { peer } } as unknown as ConnectionInfo, false)
  }
  await turns(1)
  for (const { message } of warnings)
    assert.match(message, /^refused a connection from a peer without an address:/)
  assert.equal(warnings.length, 2)
})

test('a process that uses NODE_DEBUG=proxyprotocol prints each refusal, and does not warn', () => {
  const program = ['--import', 'tsx', support('refusing-process')]
  const printed = (environment: Record<string, string>): string =>
    spawnSync(process.execPath, program, { env: { ...process.env, ...environment }, encoding: 'utf8' }).stderr
  assert.match(
    printed({ NODE_DEBUG: 'proxyprotocol' }),
    /^PROXYPROTOCOL \d+: refused a connection from 127\.0\.0\.1: the peer is not trusted [^\n]*\n$/,
  )
  assert.match(printed({}), /^\(node:\d+\) \[untrusted_peer\] ProxyProtocolWarning: refused a connection/)
})
