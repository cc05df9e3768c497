// A header is read in few pieces and never beyond its end.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeHeader, encodeHeader } from '../../../src/codec/index.ts'
import { leastMissing } from '../../../src/server/header/least-missing.ts'
import { LOCAL, UNKNOWN, V1, V2 } from '../../support/headers.ts'

const v6 = {
  source: { address: '2001:db8::1', port: 1 },
  destination: { address: '2001:db8::2', port: 65_535 },
}
const unix = { source: { path: '/a' }, destination: { path: '/b' } }
const headers: Readonly<Record<string, readonly [header: Uint8Array, pieces: number]>> = {
  'a TCP4 line': [V1, 6],
  'a TCP6 line': [encodeHeader({ ...v6, version: 1 }), 7],
  'the shortest TCP4 line': [Buffer.from('PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n'), 4],
  'the shortest TCP6 line': [Buffer.from('PROXY TCP6 :: :: 0 0\r\n'), 4],
  'a TCP6 line with IPv4 addresses': [Buffer.from('PROXY TCP6 1.2.3.4 5.6.7.8 9 10\r\n'), 6],
  'PROXY UNKNOWN': [UNKNOWN, 1],
  'PROXY UNKNOWN with words': [Buffer.from('PROXY UNKNOWN ::1 ::1 1 2\r\n'), 7],
  'version 2 over IPv4': [V2, 2],
  'version 2 over IPv6': [encodeHeader(v6), 2],
  'version 2 over UNIX sockets': [encodeHeader(unix), 2],
  'version 2 with TLVs': [encodeHeader({ ...v6, tlvs: [{ type: 4, value: new Uint8Array(300) }] }), 3],
  LOCAL: [LOCAL, 2],
}

function missing(bytes: Uint8Array): number {
  const result = decodeHeader(bytes, { mixedFamilies: 'promote' })
  return result.status === 'partial' ? leastMissing(bytes, result.missing) : 0
}

for (const [name, [header, pieces]] of Object.entries(headers)) {
  test(`${name}: no prefix asks for more than is missing`, () => {
    for (let length = 0; length < header.length; length++) {
      const least = missing(header.subarray(0, length))
      assert.ok(least >= 1 && length + least <= header.length, `${length} bytes ask for ${least}`)
    }
  })

  test(`${name} is read in at most ${pieces} pieces`, () => {
    let read = 0
    let count = 0
    for (let least = missing(header.subarray(0, 0)); least > 0; least = missing(header.subarray(0, read))) {
      read += least
      count++
    }
    assert.deepEqual([read, count <= pieces], [header.length, true], `${count} pieces`)
  })
}
