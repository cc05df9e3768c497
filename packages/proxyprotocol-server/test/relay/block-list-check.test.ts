import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { parseHeader, encodeHeader, type Endpoint, type HeaderInit } from 'proxyprotocol'
import type { ConnectionInfo } from 'proxyprotocol/server'
import { startDnsServer, type Reply } from 'test-support/dns-server'
import type { BlockLists } from '../../src/config/index.ts'
import { BlockListCheck, describeListed } from '../../src/relay/block-list-check.ts'
import { atEnd } from '../support/teardown.ts'

const signal = new AbortController().signal

async function checkOf(
  t: TestContext,
  table: Readonly<Record<string, Reply>>,
  settings: Partial<BlockLists> = {},
): Promise<{ check: BlockListCheck; asked: readonly string[] }> {
  const server = await startDnsServer(table)
  atEnd(t, () => server.close())
  const check = new BlockListCheck({
    zones: ['bl.example'],
    action: 'reject',
    timeout: 1_000,
    servers: [server.address],
    ...settings,
  })
  return { check, asked: server.asked }
}

/** What a check looks at. */
function client(source: Endpoint | undefined, header?: HeaderInit): ConnectionInfo {
  return { source, header: header && parseHeader(encodeHeader(header)) } as ConnectionInfo
}

test('each answer of a list is counted under what it says', async t => {
  const { check, asked } = await checkOf(t, {
    '1.2.0.192.bl.example': ['127.0.0.2'],
    '3.2.0.192.bl.example': 'SERVFAIL',
    '4.2.0.192.bl.example': ['127.255.255.254'],
  })
  const statuses: unknown[] = []
  for (const last of [1, 2, 3, 4]) {
    statuses.push((await check.ask(client({ address: `192.0.2.${last}`, port: 1 }), signal))?.status)
  }
  assert.deepEqual(statuses, ['listed', 'clear', 'unknown', 'unknown'])
  const { unknown, ...counts } = check.counts
  assert.deepEqual(counts, { listed: 1, clear: 1 })
  assert.deepEqual(
    Object.entries(unknown).filter(([, count]) => count > 0),
    [
      ['server_failure', 1],
      ['zone_error', 1],
    ],
  )
  await check.ask(client({ address: '192.0.2.2', port: 2 }), signal)
  assert.equal(asked.filter(name => name.startsWith('2.')).length, 1, 'an answer is kept')
  assert.equal(check.counts.clear, 2)
})

test('a list that stays silent is unknown when its time has passed', async t => {
  const { check } = await checkOf(t, { '1.2.0.192.bl.example': 'SILENCE' }, { timeout: 30 })
  const listing = await check.ask(client({ address: '192.0.2.1', port: 1 }), signal)
  assert.ok(listing?.status === 'unknown')
  assert.equal(listing.reason, 'timeout')
})

test('no list is asked about a client without an address', async t => {
  const { check, asked } = await checkOf(t, {})
  const proxy = { address: '192.0.2.9', port: 1 }
  const nobody = [
    client(undefined),
    client({ path: '/run/client' }),
    client(proxy, { command: 'LOCAL' }),
    client(proxy, { version: 1, family: 'UNSPEC' }),
  ]
  for (const info of nobody) assert.equal(await check.ask(info, signal), undefined)
  assert.deepEqual(asked, [])
  const ends = { source: { address: '192.0.2.1', port: 1 }, destination: proxy }
  assert.deepEqual(await check.ask(client(ends.source, ends), signal), { status: 'clear' })
  assert.deepEqual(asked, ['1.2.0.192.bl.example'])
})

test("a listing is told by its meaning, or by its zone's name", async t => {
  const { check } = await checkOf(
    t,
    { '1.2.0.192.zen.spamhaus.org': ['127.0.0.4'], '2.2.0.192.bl.example': ['127.0.0.2'] },
    { zones: ['zen.spamhaus.org', 'bl.example'] },
  )
  const told: string[] = []
  for (const last of [1, 2]) {
    const listing = await check.ask(client({ address: `192.0.2.${last}`, port: 1 }), signal)
    assert.ok(listing?.status === 'listed')
    told.push(describeListed(listing))
  }
  assert.deepEqual(told, ['XBL: infected or exploited machine', 'bl.example'])
})

test('the name servers of the system are asked unless others are named', async () => {
  const check = new BlockListCheck({ zones: ['bl.example'], action: 'log', timeout: 30 })
  const ended = AbortSignal.abort()
  assert.equal((await check.ask(client({ address: '192.0.2.1', port: 1 }), ended))?.status, 'unknown')
  assert.equal(check.counts.unknown.aborted, 1)
})
