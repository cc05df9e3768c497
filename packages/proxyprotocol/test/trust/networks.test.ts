// Addresses as networks see them; trust.test.ts has the networks themselves.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untyped } from 'test-support/untyped'
import { addressBytes, compileNetworks, isLoopback } from '../../src/trust/networks.ts'

test('networks: an address has 4 or 16 bytes, a v4-mapped one 4, and a zone does not belong to it', () => {
  const one = [...new Uint8Array(15), 1]
  for (const [address, bytes] of [
    ['192.0.2.1', [192, 0, 2, 1]],
    ['::ffff:192.0.2.1', [192, 0, 2, 1]],
    ['::1', one],
    ['::1%lo', one],
  ] as const) {
    assert.deepEqual([...(addressBytes(address) ?? [])], bytes, address)
  }
  for (const address of ['', '%lo', 'localhost', '127.1', '[::1]', '192.0.2.1:80']) {
    assert.equal(addressBytes(address), undefined, address)
  }
})

test('networks: a message without a name starts with what must be', () => {
  assert.throws(() => compileNetworks(['10.0.0.1/8'], ''), /^RangeError: must hold networks without bits/)
  assert.throws(() => compileNetworks(untyped('::1'), ''), /^TypeError: must be a list such as/)
})

test('networks: 127.0.0.0/8 and ::1 are the loopback, and what is not an address is not', () => {
  for (const address of ['127.0.0.0', '127.0.0.1', '127.255.255.255', '::1', '::ffff:127.0.0.1', '::1%lo']) {
    assert.equal(isLoopback(address), true, address)
  }
  for (const address of [
    '126.255.255.255',
    '128.0.0.0',
    '::',
    '::2',
    '1::1',
    '::127.0.0.1',
    '',
    'localhost',
  ]) {
    assert.equal(isLoopback(address), false, address)
  }
})

test('networks: an empty list holds no peer', () => {
  const holds = compileNetworks([], 'list')
  assert.equal(holds({ address: '192.0.2.1', transport: 'tcp' }), false)
  assert.equal(holds({ address: undefined, transport: 'tcp' }), false)
  assert.equal(holds({ address: undefined, transport: 'unix' }), false)
})

test('networks: many networks, nested, equal and side by side, hold exactly the addresses that one of them holds', () => {
  const numbers = Array.from({ length: 400 }, (_, index) => (index * 2_654_435_761) >>> 0)
  for (const family of [4, 6] as const) {
    const entries = numbers.map(number => networkOf(number, family))
    const holds = compileNetworks([...entries, ...entries.slice(0, 20)])
    const single = entries.map(entry => compileNetworks([entry]))
    for (const number of numbers.flatMap(each => [each, each ^ 1, each ^ 0x1000, each ^ 0x8000_0000])) {
      const peer = { address: addressOf(number >>> 0, family), transport: 'tcp' } as const
      const expected = single.some(each => each(peer))
      assert.equal(holds(peer), expected, peer.address)
    }
  }
})

test('networks: a wide network that stands before or after a narrow one in it holds all of its own', () => {
  for (const entries of [
    ['10.0.0.0/8', '10.1.0.0/16', '10.2.0.0/16'],
    ['10.2.0.0/16', '10.1.0.0/16', '10.0.0.0/8'],
    ['10.0.0.0/16', '10.0.0.0/8'],
  ]) {
    const holds = compileNetworks(entries)
    for (const [address, expected] of [
      ['10.0.0.0', true],
      ['10.255.255.255', true],
      ['9.255.255.255', false],
      ['11.0.0.0', false],
    ] as const) {
      assert.equal(holds({ address, transport: 'tcp' }), expected, address)
    }
  }
})

/** The network of a length between /8 and /32, or /72 and /96, that the number is in. */
function networkOf(number: number, family: 4 | 6): string {
  const length = 8 + (number % 25)
  const first = (number & (0xffff_ffff << (32 - length))) >>> 0
  return `${addressOf(first, family)}/${family === 4 ? length : 64 + length}`
}

/** The number as the last 32 bits of an IPv4 address, or as bits 64 to 95 of an IPv6 address. */
function addressOf(number: number, family: 4 | 6): string {
  if (family === 6) return `2001:db8:0:1:${(number >>> 16).toString(16)}:${(number & 0xffff).toString(16)}::`
  return [24, 16, 8, 0].map(shift => (number >>> shift) & 0xff).join('.')
}
