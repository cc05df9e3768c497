// encodeHeader(): what follows from the ends, the sender matrix, and how a header is finished.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { untyped } from 'test-support/untyped'
import { encodeHeader, parseHeader, tlv, type InetEndpoint, type Tlv } from '../../src/codec/index.ts'
import { toHex } from '../support/vectors.ts'

const MAX_V2_BYTES = 65_551
const source: InetEndpoint = { address: '192.0.2.1', port: 56_324 }
const destination: InetEndpoint = { address: '198.51.100.7', port: 443 }
const ends = { source, destination }
const unixEnds = { source: { path: '/a' }, destination: { path: '/b' } }

function line(header: Parameters<typeof encodeHeader>[0]): string {
  return Buffer.from(encodeHeader({ ...header, version: 1 })).toString()
}

function tlvOf(type: number, length: number): Tlv {
  return { type, value: new Uint8Array(length) }
}

describe('what is not said follows from the ends', () => {
  test('version 2, PROXY, STREAM and the family of the addresses', () => {
    assert.equal(toHex(encodeHeader(ends)), '0d0a0d0a000d0a515549540a2111000cc0000201c6336407dc0401bb')
    const explicit = {
      version: 2,
      command: 'PROXY',
      family: 'INET',
      transport: 'STREAM',
      ...ends,
      tlvs: [],
    } as const
    assert.deepEqual(encodeHeader(explicit), encodeHeader(ends))
    const unsaid = {
      version: undefined,
      command: undefined,
      family: undefined,
      transport: undefined,
      tlvs: undefined,
    }
    assert.deepEqual(
      encodeHeader({ ...unsaid, ...ends }, { checksum: undefined, padTo: undefined }),
      encodeHeader(ends),
    )
  })

  test('family INET6 writes IPv4 addresses in their v4-mapped form', () => {
    const header = parseHeader(encodeHeader({ family: 'INET6', ...ends }))
    assert.ok(header.family === 'INET6')
    assert.equal(header.source.address, '::ffff:192.0.2.1')
    assert.equal(
      line({ family: 'INET6', ...ends }),
      'PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.7 56324 443\r\n',
    )
  })

  test('addresses need not be canonical, what is sent is', () => {
    const header = {
      source: { address: '2001:DB8:0::0001', port: 1 },
      destination: { address: '::FFFF:C000:201', port: 2 },
    }
    assert.equal(line(header), 'PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 1 2\r\n')
  })

  test('a family that is said decides what counts in an end that has both', () => {
    const both = { address: '192.0.2.1', port: 1, path: '/a' }
    const inet = parseHeader(encodeHeader({ family: 'INET', source: both, destination: both }))
    assert.equal(inet.family, 'INET')
    const unix = parseHeader(encodeHeader({ family: 'UNIX', source: both, destination: both }))
    assert.equal(unix.family, 'UNIX')
  })

  test('LOCAL and UNSPEC carry no ends', () => {
    assert.equal(toHex(encodeHeader({ command: 'LOCAL' })).slice(24), '20000000')
    assert.equal(toHex(encodeHeader({ command: 'LOCAL', family: 'UNSPEC' })).slice(24), '20000000')
    assert.equal(toHex(encodeHeader({ family: 'UNSPEC' })).slice(24), '21000000')
  })

  test('a decoded LOCAL header goes on without what it held besides TLVs (known bug 10)', () => {
    const raw = Buffer.from('0d0a0d0a000d0a515549540a2011000cc0000201c6336407dc0401bb', 'hex')
    assert.equal(toHex(encodeHeader(parseHeader(raw))), '0d0a0d0a000d0a515549540a20000000')
    assert.equal(line({ ...parseHeader(raw), version: 1 }), 'PROXY UNKNOWN\r\n')
  })
})

describe('version 1 says UNKNOWN where it cannot say more', () => {
  test('LOCAL, UNSPEC, UNIX and DGRAM', () => {
    for (const header of [
      { command: 'LOCAL' },
      { family: 'UNSPEC' },
      unixEnds,
      { ...ends, transport: 'DGRAM' },
    ] as const) {
      assert.equal(line(header), 'PROXY UNKNOWN\r\n')
    }
  })

  test('but ends that are wrong are refused all the same', () => {
    const wrong = { source, destination: { address: 'x', port: 1 }, transport: 'DGRAM' } as const
    assert.throws(() => line(wrong), { name: 'TypeError', message: /^destination\.address / })
  })

  test('no TLVs and no options are the same as empty ones', () => {
    const bytes = encodeHeader({ version: 1, ...ends, tlvs: [] }, { checksum: false })
    assert.equal(Buffer.from(bytes).toString(), 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n')
  })
})

describe('the sender matrix: every pair of ends becomes a legal header (known bug 27)', () => {
  const addresses = { v4: '192.0.2.1', v6: '2001:db8::1', mapped: '::ffff:198.51.100.7' }
  const mappedForm = { v4: '::ffff:192.0.2.1', v6: '2001:db8::1', mapped: '::ffff:198.51.100.7' }
  const kinds = ['v4', 'v6', 'mapped'] as const

  for (const from of kinds) {
    for (const to of kinds) {
      test(`${from} to ${to}`, () => {
        const isV4 = from === 'v4' && to === 'v4'
        const texts = isV4 ? addresses : mappedForm
        const pair = {
          source: { address: addresses[from], port: 1 },
          destination: { address: addresses[to], port: 2 },
        }
        const wanted = {
          command: 'PROXY',
          family: isV4 ? 'INET' : 'INET6',
          source: { address: texts[from], port: 1 },
          destination: { address: texts[to], port: 2 },
          tlvs: [],
        }
        assert.equal(line(pair), `PROXY ${isV4 ? 'TCP4' : 'TCP6'} ${texts[from]} ${texts[to]} 1 2\r\n`)
        assert.deepEqual(parseHeader(Buffer.from(line(pair))), { version: 1, transport: 'STREAM', ...wanted })
        for (const transport of ['STREAM', 'DGRAM'] as const) {
          assert.deepEqual(parseHeader(encodeHeader({ ...pair, transport })), {
            version: 2,
            transport,
            ...wanted,
          })
        }
      })
    }
  }

  for (const kind of kinds) {
    test(`${kind} and a UNIX socket do not belong together`, () => {
      const inet = { address: addresses[kind], port: 1 }
      const unix = { path: '/a' }
      const wanted = { name: 'TypeError', message: 'destination must be { address, port }, got { path }' }
      assert.throws(() => encodeHeader(untyped({ source: inet, destination: unix })), wanted)
      const reverse = { name: 'TypeError', message: 'destination must be { path }, got { address, port }' }
      assert.throws(() => encodeHeader(untyped({ source: unix, destination: inet })), reverse)
    })
  }

  test('UNIX to UNIX', () => {
    const header = parseHeader(encodeHeader({ ...unixEnds, transport: 'DGRAM' }))
    assert.deepEqual(header, {
      version: 2,
      command: 'PROXY',
      family: 'UNIX',
      transport: 'DGRAM',
      ...unixEnds,
      tlvs: [],
    })
  })
})

describe('checksum', () => {
  const withChecksum = { ...ends, tlvs: [tlv.alpn('h2'), tlvOf(3, 4)] }

  test('true puts one first, or keeps the place of the one that is there', () => {
    const types = (bytes: Uint8Array): readonly number[] => parseHeader(bytes).tlvs.map(({ type }) => type)
    assert.deepEqual(types(encodeHeader({ ...ends, tlvs: [tlv.alpn('h2')] }, { checksum: true })), [3, 1])
    assert.deepEqual(types(encodeHeader(withChecksum, { checksum: true })), [1, 3])
    assert.deepEqual(types(encodeHeader(withChecksum)), [1, 3])
    assert.deepEqual(types(encodeHeader(withChecksum, { checksum: false })), [1])
  })

  test('is that of the golden bytes', () => {
    const golden = '0d0a0d0a000d0a515549540a21110018c0000201c6336407dc0401bb0300047e56a1890100026832'
    assert.equal(toHex(encodeHeader({ ...ends, tlvs: [tlv.alpn('h2')] }, { checksum: true })), golden)
  })

  test('covers the padding', () => {
    const bytes = encodeHeader(ends, { checksum: true, padTo: 100 })
    assert.equal(bytes.length, 100)
    bytes[99] = 1
    assert.throws(() => parseHeader(bytes), { code: 'checksum_mismatch', offset: 28 })
  })

  test('leaves the caller’s TLVs alone', () => {
    const value = Uint8Array.of(1, 2, 3, 4)
    const tlvs = Object.freeze([{ type: 3, value }])
    encodeHeader({ ...ends, tlvs }, { checksum: true, padTo: 64 })
    assert.deepEqual(value, Uint8Array.of(1, 2, 3, 4))
  })
})

describe('padTo', () => {
  test('the length that the header has anyway adds nothing', () => {
    assert.deepEqual(encodeHeader(ends, { padTo: 28 }), encodeHeader(ends))
  })

  test('three bytes more are a NOOP of zero bytes', () => {
    assert.deepEqual(parseHeader(encodeHeader(ends, { padTo: 31 })).tlvs, [tlvOf(4, 0)])
  })

  test('goes up to the most that a header can have', () => {
    assert.equal(encodeHeader({ command: 'LOCAL' }, { padTo: MAX_V2_BYTES }).length, MAX_V2_BYTES)
  })

  for (const [padTo, got] of [
    [27, '27'],
    [29, '29'],
    [30, '30'],
    [40.5, '40.5'],
    [Number.NaN, 'NaN'],
    [Infinity, 'Infinity'],
    ['64', '"64"'],
    [65_552, '65552'],
    [-1, '-1'],
    [null, 'null'],
  ] as const) {
    test(`${got} is refused`, () => {
      const message = `padTo must be the header's 28 bytes, or from 31 to 65551, got ${got}`
      assert.throws(() => encodeHeader(ends, { padTo: untyped(padTo) }), { name: 'RangeError', message })
    })
  }
})
