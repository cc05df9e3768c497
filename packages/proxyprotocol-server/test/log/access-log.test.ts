// A connection's line: the same shape however it ended, and nothing of the network in it that could leave its place.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Listing } from 'proxyprotocol/dnsbl'
import { describeAccess, type AccessEntry } from '../../src/log/access-log.ts'
import { formatJson } from '../../src/log/json.ts'
import { formatLine } from '../../src/log/text.ts'

const ends = {
  peer: { address: '10.0.0.1', port: 1 },
  local: { address: '10.0.0.2', port: 443 },
  source: { address: '2001:db8::1', port: 2 },
  destination: { path: Uint8Array.of(255) },
}
const rejected: AccessEntry = {
  ...ends,
  id: 'id',
  uniqueId: undefined,
  received: undefined,
  reason: 'header_missing',
  age: 1.26,
}
const relayed: AccessEntry = {
  ...rejected,
  uniqueId: Uint8Array.of(7),
  received: { version: 2, command: 'PROXY' },
  sent: 'v1',
  tls: { version: 'TLSv1.3', serverName: 'a\u202e\n"b' },
  upstream: 'app:80',
  attempts: 2,
  upstreamAddress: { address: '127.0.0.1', port: 80 },
  reason: 'done',
  bytesUp: 3,
  bytesDown: 4,
  listing: { status: 'clear' },
  timings: { header: 0.04, dnsbl: 0.26, connect: 0.06, firstByte: 12.34 },
}

test('a relayed connection says what is known of it, durations to a tenth of a millisecond', () => {
  assert.equal(
    formatLine(new Date(0), 'closed', describeAccess(relayed, 'web')),
    '1970-01-01T00:00:00.000Z closed id=id uniqueId=0x07 service=web peer=10.0.0.1:1 source=[2001:db8::1]:2 ' +
      'destination=0xff local=10.0.0.2:443 upstream=app:80 upstreamAddress=127.0.0.1:80 attempts=2 received=v2 command=PROXY ' +
      String.raw`sent=v1 tls=TLSv1.3 sni="a\u202e\n\"b" dnsbl=clear reason=done bytesUp=3 bytesDown=4 headerMs=0 ` +
      'dnsblMs=0.3 connectMs=0.1 firstByteMs=12.3 ms=1.3',
  )
})

test('one that was turned away has the same fields in the same order, as far as there are any', () => {
  const keys = describeAccess(relayed, 'web').map(([key]) => key)
  assert.deepEqual(
    describeAccess(rejected, 'web').map(([key]) => key),
    keys,
  )
  assert.equal(
    formatLine(new Date(0), 'rejected', describeAccess(rejected, 'web')),
    '1970-01-01T00:00:00.000Z rejected id=id service=web peer=10.0.0.1:1 source=[2001:db8::1]:2 destination=0xff ' +
      'local=10.0.0.2:443 reason=header_missing bytesUp=0 bytesDown=0 ms=1.3',
  )
})

test('JSON holds what text holds', () => {
  const fields = describeAccess(relayed, 'web')
  const object = JSON.parse(formatJson('info', 'closed', fields)) as Record<string, unknown>
  const { level, time, event, ...rest } = object
  assert.deepEqual([level, typeof time, event], ['info', 'string', 'closed'])
  const given = fields.filter(([, value]) => value !== undefined).map(([key]) => key)
  assert.deepEqual(Object.keys(rest), given)
  assert.equal(rest['sni'], 'a\u202e\n"b')
})

test('what block lists say of a client is a word or two', () => {
  const listingIn = (listing: Listing): unknown =>
    describeAccess({ ...relayed, listing }, 'web').find(([key]) => key === 'dnsbl')?.[1]
  const unknown = {
    status: 'unknown',
    reason: 'timeout',
    zone: 'bl.example',
    answer: undefined,
    cause: undefined,
  } as const
  const listed = {
    status: 'listed',
    zone: 'bl.example',
    code: '127.0.0.2',
    meaning: undefined,
    also: [],
  } as const
  assert.equal(listingIn(unknown), 'unknown: timeout')
  assert.equal(listingIn(listed), 'bl.example')
})
