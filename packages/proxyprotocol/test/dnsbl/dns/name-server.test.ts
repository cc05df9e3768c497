import assert from 'node:assert/strict'
import { Resolver } from 'node:dns'
import { test } from 'node:test'
import { untyped } from 'test-support/untyped'
import { quote } from '../../../src/checks/index.ts'
import { parseNameServer } from '../../../src/dnsbl/index.ts'
import { systemNameServers } from '../../../src/dnsbl/dns/index.ts'

for (const [text, address, port] of [
  ['192.0.2.53', '192.0.2.53', 53],
  ['192.0.2.53:5353', '192.0.2.53', 5_353],
  ['192.0.2.53:65535', '192.0.2.53', 65_535],
  ['2001:db8::53', '2001:db8::53', 53],
  ['[2001:db8::53]', '2001:db8::53', 53],
  ['[2001:db8::53]:1', '2001:db8::53', 1],
  ['fe80::1%eth0', 'fe80::1%eth0', 53],
  ['[fe80::1%eth0]:5353', 'fe80::1%eth0', 5_353],
] as const) {
  test(`parseNameServer() reads ${text}`, () => {
    assert.deepEqual(parseNameServer(text), { address, port })
  })
}

for (const text of [
  ...['', 'localhost', 'localhost:53', '192.0.2', '[192.0.2.53]:53', '192.0.2.53:', '192.0.2.53:0'],
  ...['192.0.2.53:65536', '192.0.2.53:x', '[2001:db8::53', '[2001:db8::53]53', '[]:53', '1.2.3.4 ', 53, 53n],
]) {
  test(`parseNameServer() refuses ${quote(text)}`, () => {
    assert.throws(() => parseNameServer(untyped(text)), {
      name: 'TypeError',
      message: `name server must be an IP address with or without a port, such as "127.0.0.1" or "[::1]:5353", got ${quote(text)}`,
    })
  })
}

test("the system's name servers are read anew each time, each of them once, without what is not an address", t => {
  let given = ['192.0.2.53', '[2001:db8::53]:5353', '192.0.2.53', 'unknown']
  t.mock.method(Resolver.prototype, 'getServers', () => given)
  assert.deepEqual(systemNameServers(), [
    { address: '192.0.2.53', port: 53 },
    { address: '2001:db8::53', port: 5_353 },
  ])
  given = []
  assert.deepEqual(systemNameServers(), [])
})
