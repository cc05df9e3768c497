// Faults that other implementations had with connections, by their numbers, through createServer() and attach(). Those that
// are about bytes alone are vectors; those about reading, waiting and timers are beside the rule that they broke.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import dns from 'node:dns'
import { once } from 'node:events'
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { certificate } from 'test-support/certificates'
import { outcome, turns } from 'test-support/sockets'
import { headerFor } from '../../../src/client/index.ts'
import { decodeHeader, encodeHeader, tlv } from '../../../src/codec/index.ts'
import { attach, createServer } from '../../../src/server/index.ts'
import { doors, type Door } from '../../support/doors.ts'
import { DESTINATION, encode, LOCAL, SOURCE, V1, V2 } from '../../support/headers.ts'
import { over, readToEnd, createHarness, type Harness } from '../../support/harness.ts'
import { vectorFiles } from '../../support/vectors.ts'

const SIGNATURE = V2.subarray(0, 12)
const ends = { source: SOURCE, destination: DESTINATION }

/** What a client is told that sends these bytes and its FIN. */
async function told(
  harness: Harness,
  port: number,
  ...parts: readonly (Uint8Array | string)[]
): Promise<string> {
  const bytes = Buffer.concat(parts.map(part => Buffer.from(part)))
  return (await outcome(harness.dial(port).end(bytes))).text
}

function last<T>(list: readonly T[]): T {
  return list.at(-1) ?? assert.fail('there is none')
}

/** A header with any block behind its fixed part. */
function raw(command: number, family: number, block: Uint8Array): Buffer {
  return Buffer.concat([SIGNATURE, Buffer.of(command, family, block.length >> 8, block.length & 0xff), block])
}

/** Every vector that no header comes of, with some payload behind those that end early. */
const unsound = vectorFiles
  .flatMap(({ vectors }) => vectors)
  .filter(({ expected, options }) => options === undefined && expected.status !== 'header')

async function assertServes(harness: Harness, { port, seen }: Door): Promise<void> {
  assert.equal(await told(harness, port, V2, 'hello'), 'served')
  assert.deepEqual([last(seen).address, last(seen).text], ['192.0.2.1', 'hello'])
}

for (const [name, open] of doors) {
  test(`${name}: a line without an end is given up, however much of it comes (known bug 1)`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness)
    const client = harness.dial(door.port)
    client.write('PROXY '.padEnd(1024 * 1024, 'x'))
    client.once('end', () => client.end())
    assert.equal((await outcome(client)).text, '')
    assert.deepEqual(
      door.refused.map(({ error }) => error.code),
      ['v1_protocol'],
    )
    assert.equal(await told(harness, door.port, 'PROXY UNKNOWN'.padEnd(1024, 'x')), '')
    assert.equal(last(door.refused).error.code, 'v1_too_long')
    await assertServes(harness, door)
  })

  test(`${name}: payload that looks like TLVs stays payload (known bug 8)`, async t => {
    const harness = createHarness(t)
    const { port, seen } = await open(t, harness)
    for (const tlvs of [[], [tlv.noop(3)]]) {
      for (const payload of ['040001ff', '04', '0400', '0300041a2b3c4d', '200005010000000004']) {
        const bytes = Buffer.from(payload, 'hex')
        assert.equal(await told(harness, port, encode({ ...ends, tlvs }), bytes), 'served')
        const { info, text } = last(seen)
        assert.deepEqual([text, info?.header?.tlvs.length], [bytes.toString(), tlvs.length])
      }
    }
  })

  test(`${name}: a LOCAL connection can be announced upstream (known bug 10)`, async t => {
    const harness = createHarness(t)
    const { port, seen } = await open(t, harness)
    for (const sent of [
      LOCAL,
      raw(0x20, 0x11, randomBytes(12)),
      encode({ command: 'LOCAL', tlvs: [tlv.alpn('h2')] }),
    ]) {
      assert.equal(await told(harness, port, sent), 'served')
      const { header = assert.fail() } = last(seen).info ?? {}
      const passedOn = decodeHeader(encodeHeader(header))
      assert.ok(passedOn.status === 'header')
      assert.deepEqual([passedOn.header.command, passedOn.header.tlvs], ['LOCAL', header.tlvs])
    }
  })

  test(`${name}: a second header is payload, whatever the first was (known bugs 12 and 13)`, async t => {
    const harness = createHarness(t)
    const { port, seen } = await open(t, harness)
    for (const first of [V1, V2, LOCAL, 'PROXY UNKNOWN\r\n']) {
      const before = await address(first)
      assert.equal(await told(harness, port, first, V1, V2), 'served')
      assert.deepEqual([last(seen).address, last(seen).text], [before, String(Buffer.concat([V1, V2]))])
    }

    async function address(header: Uint8Array | string): Promise<string | undefined> {
      await told(harness, port, header)
      return last(seen).address
    }
  })

  test(`${name}: a good header behind a bad one is not looked at (known bug 14)`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness, { options: { missing: 'direct' } })
    for (const bad of [
      'PROXY TCP4 192.0.2.256 ',
      'PROXY UNKNOWN'.padEnd(107),
      raw(0x21, 0x11, randomBytes(11)),
    ]) {
      assert.equal(await told(harness, door.port, bad, V1, V2, 'hello'), '')
    }
    assert.deepEqual([door.seen.length, door.refused.length], [0, 3])
    await assertServes(harness, door)
  })

  test(`${name}: connections share nothing, however their bytes are interleaved (known bug 15)`, async t => {
    const harness = createHarness(t)
    const { port, seen } = await open(t, harness)
    const numbers = [1, 2, 3, 4]
    const clients = numbers.map(() => harness.dial(port))
    const ended = clients.map(client => outcome(client))
    const inputs = numbers.map(n =>
      Buffer.concat([
        encode(
          { source: { address: `192.0.2.${n}`, port: n }, destination: DESTINATION },
          { checksum: n > 2 },
        ),
        Buffer.from(`payload ${n}`),
      ]),
    )
    for (let at = 0; at < 50; at++) {
      for (const [index, input] of inputs.entries()) clients[index]?.write(input.subarray(at, at + 1))
      await turns(1)
    }
    for (const client of clients) client.end()
    for (const { text } of await Promise.all(ended)) assert.equal(text, 'served')
    assert.deepEqual(
      new Set(seen.map(each => `${each.address} ${each.text}`)),
      new Set(numbers.map(n => `192.0.2.${n} payload ${n}`)),
    )
  })

  test(`${name}: no input stops it: ${unsound.length} that are no headers (known bug 16)`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness)
    for (const { name: vector, bytes } of unsound) {
      assert.equal(await told(harness, door.port, bytes), '', vector)
      const client = harness.dial(door.port)
      client.write(bytes, () => client.resetAndDestroy())
      await outcome(client)
    }
    assert.deepEqual(door.seen, [])
    await assertServes(harness, door)
  })

  test(`${name}: addresses in a header are told and never looked up (known bug 18)`, async t => {
    const harness = createHarness(t)
    const { port, seen } = await open(t, harness)
    const lookup = t.mock.method(dns, 'lookup')
    for (const [source, destination] of [
      ['2001:db8::1', 'fe80::1'],
      ['ff02::1', '::'],
      ['0.0.0.0', '255.255.255.255'],
    ] as const) {
      const header = encode({
        source: { address: source, port: 0 },
        destination: { address: destination, port: 65_535 },
      })
      assert.equal(await told(harness, port, header, 'hello'), 'served')
      assert.deepEqual(last(seen).info?.source, { address: source, port: 0 })
      assert.deepEqual(last(seen).info?.destination, { address: destination, port: 65_535 })
    }
    assert.equal(lookup.mock.callCount(), 0)
  })

  test(`${name}: all 512 values of command and family have an outcome (known bug 22)`, async t => {
    const harness = createHarness(t)
    const door = await open(t, harness)
    for (const command of [0x20, 0x21]) {
      for (let family = 0; family < 256; family++) {
        const answer = await told(harness, door.port, raw(command, family, Buffer.alloc(216)), 'hello')
        const known = family >> 4 <= 3 && (family & 0x0f) <= 2
        assert.equal(answer, known || command === 0x20 ? 'served' : '', `${command} ${family}`)
        const { info } = answer === 'served' ? last(door.seen) : last(door.refused)
        assert.ok(info?.source, 'there is a client to name')
      }
    }
    await assertServes(harness, door)
  })

  test(`${name}: LOCAL of every length is served as the peer itself (known bug 24)`, async t => {
    const harness = createHarness(t)
    const { port, seen, refused } = await open(t, harness)
    const lengths = [...Array(40).keys(), 215, 216, 217, 255, 256, 257, 1024, 4080]
    const headers = lengths.map(length => raw(0x20, 0x00, randomBytes(length)))
    headers.push(
      ...[tlv.noop(0), tlv.noop(9), tlv.uniqueId('a')].map(each =>
        encode({ command: 'LOCAL', tlvs: [each] }),
      ),
    )
    for (const header of headers) {
      assert.equal(await told(harness, port, header, 'hello'), 'served', header.toString('hex'))
      assert.deepEqual([last(seen).address, last(seen).text], ['127.0.0.1', 'hello'])
    }
    assert.deepEqual(refused, [])
    assert.equal(
      await told(harness, port, encode({ ...ends, tlvs: [tlv.noop(0), tlv.noop(0)] }), 'hello'),
      'served',
    )
    assert.deepEqual([last(seen).address, last(seen).text], ['192.0.2.1', 'hello'])
  })

  test(`${name}: the header says whether the client's connection was encrypted (known bug 31)`, async t => {
    const harness = createHarness(t)
    const { port, seen } = await open(t, harness)
    for (const [flags, encrypted] of [
      [0x01, true],
      [0x05, true],
      [0x00, false],
    ] as const) {
      const value = Uint8Array.of(flags, ...[0, 0, 0, 0])
      assert.equal(await told(harness, port, encode({ ...ends, tlvs: [{ type: 0x20, value }] })), 'served')
      assert.equal(last(seen).info?.ssl?.encrypted, encrypted, String(flags))
    }
    assert.equal(await told(harness, port, V2), 'served')
    assert.equal(last(seen).info?.ssl, undefined)
  })

  test(`${name}: what follows the header comes once and in order (known bugs 32 and 33)`, async t => {
    const harness = createHarness(t)
    const { port, seen } = await open(t, harness)
    for (const size of [0, 1, 255, 256, 257, 65_535, 65_536, 200_000]) {
      const payload = randomBytes(size).toString('base64')
      for (const header of [V1, V2, LOCAL]) {
        assert.equal(await told(harness, port, header, payload), 'served')
        assert.ok(last(seen).text === payload, String(size))
      }
    }
  })

  test(`${name}: what is kept of a header does not keep the chunk that it came in (known bug 34)`, async t => {
    const harness = createHarness(t)
    const { port, seen } = await open(t, harness)
    const tlvs = [tlv.uniqueId(randomBytes(16)), tlv.alpn('h2'), { type: 0xe0, value: randomBytes(30) }]
    assert.equal(await told(harness, port, encode({ ...ends, tlvs }), randomBytes(65_536)), 'served')
    const { info } = last(seen)
    const kept = [info?.uniqueId, ...(info?.header?.tlvs.map(({ value }) => value) ?? [])]
    assert.equal(kept.length, 4)
    for (const bytes of kept) assert.ok((bytes?.buffer.byteLength ?? Infinity) <= 128)
  })
}

test('the next hop learns of a LOCAL connection by its own two ends (known bug 10)', async t => {
  const harness = createHarness(t)
  const headers: unknown[] = []
  const served = await harness.serve(({ socket }) => void headers.push(headerFor(socket)))
  const client = harness.dial(served.port)
  await once(client, 'connect')
  const source = { address: '127.0.0.1', port: client.localPort }
  await outcome(client.end(LOCAL))
  assert.deepEqual(headers, [
    { version: 2, source, destination: { address: '127.0.0.1', port: served.port }, tlvs: [] },
  ])
})

/** Milliseconds; short, because one peer waits for it to pass. */
const HANDSHAKE = 200

/** What a peer may do instead of a TLS handshake, behind its header. */
const instead: readonly (readonly [bytes: Uint8Array | string, end: (client: Socket) => unknown])[] = [
  'GET / HTTP/1.1\r\n\r\n',
  Buffer.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc),
  Buffer.of(0x16, 0x03, 0x01, 0x00, 0x02, 0xff, 0xff),
  Buffer.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28),
  randomBytes(20_000),
  V2,
  '',
].flatMap(bytes => [
  [bytes, (client: Socket) => client.end()] as const,
  [bytes, (client: Socket) => client.resetAndDestroy()] as const,
])

test('no peer stops a server by what it does instead of a handshake (known bug 16)', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(readToEnd, { tls: certificate, timeouts: { handshake: HANDSHAKE } })
  const server = attach(createTlsServer({ ...certificate, handshakeTimeout: HANDSHAKE }), { trust: 'anyone' })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  for (const port of [served.port, (server.address() as AddressInfo).port]) {
    for (const [bytes, end] of instead) {
      const client = harness.dial(port)
      client.write(Buffer.concat([V2, Buffer.from(bytes)]), () => end(client))
      await outcome(client)
    }
  }
  await over(served, instead.length)
  assert.equal(served.server.state, 'listening')
  assert.equal(server.listening, true)
  server.close()
  await once(server, 'close')
})

test('a mapped network with a short prefix trusts no peer: it is refused (known bug 20)', () => {
  const net: Server = createNetServer()
  for (const entry of ['::ffff:10.0.0.0/8', '::ffff:0:0/0', '::ffff:0.0.0.0/95']) {
    const message = /^trust must hold IPv4-mapped networks from \/96 on, got .*; write it as an IPv4 network$/
    assert.throws(() => createServer({ trust: [entry] }, () => {}), { name: 'RangeError', message })
    assert.throws(() => attach(net, { trust: [entry] }), { name: 'RangeError', message })
  }
})
