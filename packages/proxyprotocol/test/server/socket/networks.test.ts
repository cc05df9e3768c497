// Addresses as networks see them; trust.test.ts has the networks themselves.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressBytes, compileNetworks, isLoopback } from '../../../src/server/socket/networks.ts'

test('networks: an address has 4 or 16 bytes, a v4-mapped one 4, and a zone is no part of it', () => {
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

test('networks: 127.0.0.0/8 and ::1 are the loopback, and what is no address is not', () => {
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

test('networks: an empty list holds nobody', () => {
  const holds = compileNetworks([], 'list')
  assert.equal(holds({ address: '192.0.2.1', transport: 'tcp' }), false)
  assert.equal(holds({ address: undefined, transport: 'tcp' }), false)
  assert.equal(holds({ address: undefined, transport: 'unix' }), false)
})
