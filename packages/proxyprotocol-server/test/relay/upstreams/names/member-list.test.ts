// Which addresses of an answer are used.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memberList } from '../../../../src/relay/upstreams/names/member-list.ts'

function found(...addresses: string[]): { address: string; family: number }[] {
  return addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
}

function chosen(addresses: string[], inUse: string[], most: number): { used: string[]; leftOut: number } {
  const { addresses: used, leftOut } = memberList(found(...addresses), new Set(inUse), most)
  return { used: used.map(({ address }) => address), leftOut }
}

test('addresses are taken in the order of their numbers, IPv4 first, each once', () => {
  const sorted = ['9.0.0.1', '10.0.0.2', '10.0.0.10', '::', '::1', '::1.2.3.4', '2001:db8::9', '2001:db8::10']
  sorted.push('2001:db8:0:1::', 'fe80::1%eth0', 'fe80:0:0:0:0:0:0:2')
  assert.deepEqual(chosen([...sorted].reverse(), [], 64), { used: sorted, leftOut: 0 })
  assert.deepEqual(chosen(['10.0.0.1', '10.0.0.1'], [], 1), { used: ['10.0.0.1'], leftOut: 0 })
})

test('what is not an address is taken last', () => {
  assert.deepEqual(chosen(['nonsense', '::1', '10.0.0.1'], [], 64).used, ['10.0.0.1', 'nonsense', '::1'])
})

test('of a longer answer those in use stay, and the lowest others fill what is left', () => {
  const answer = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5']
  assert.deepEqual(chosen(answer, ['10.0.0.5', '10.0.0.9'], 3), {
    used: ['10.0.0.5', '10.0.0.1', '10.0.0.2'],
    leftOut: 2,
  })
})
