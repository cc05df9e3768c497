// Every vector as the first bytes of a datagram, through attachDatagrams().

import assert from 'node:assert/strict'
import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { decodeHeader } from '../../src/codec/index.ts'
import { attachDatagrams, datagramInfo, type DatagramOptions } from '../../src/udp/index.ts'
import { sppVectors, type SppVector, type Vector, vectorFiles } from '../../src/vectors/index.ts'
import { assertSums, statsOf } from '../support/datagrams.ts'
import { toHex } from '../support/vectors.ts'

const PEER = { address: '127.0.0.1', family: 'IPv4', port: 9 } as const
const PAYLOAD = 'payload'

/** Gives a datagram to a fresh socket: its message as text, or the reason why it was dropped. */
async function receive(bytes: Uint8Array, options: Partial<DatagramOptions>): Promise<unknown> {
  const socket = attachDatagrams(createSocket('udp4'), { trust: 'anyone', ...options })
  let seen: unknown
  socket.on('message', (payload: Buffer, rinfo: RemoteInfo) => {
    const { header, source, destination } = datagramInfo(rinfo) ?? {}
    const { address, port } = rinfo
    seen = { payload: toHex(payload), shown: { address, port }, source, destination, header }
  })
  socket.emit('message', Buffer.from(bytes), { ...PEER, size: bytes.length })
  const { dropped } = statsOf(socket)
  socket.close()
  await once(socket, 'close')
  assertSums(statsOf(socket))
  return seen ?? Object.entries(dropped).find(([, count]) => count === 1)?.[0]
}

for (const { name: file, vectors } of vectorFiles) {
  test(`${file}: each vector is accepted or dropped as it says`, async () => {
    for (const vector of vectors) await checkVector(vector)
  })
}

async function checkVector({ name, bytes, expected, options = {} }: Vector): Promise<void> {
  if (options.versions !== undefined || options.mixedFamilies !== undefined) return // a socket has no such option
  const isLine = bytes[0] === 0x50
  const seen = await receive(Buffer.concat([bytes, Buffer.from(PAYLOAD)]), {
    limits: { headerBytes: options.maxHeaderBytes ?? 4_096 },
    ...(isLine && { framing: 'unsafe-first', timeouts: { flow: 1_000 } }),
  })
  if (expected.status === 'partial') return // the payload completes it in ways that other vectors have
  if (expected.status !== 'header') {
    assert.equal(seen, expected.status === 'absent' ? 'header_missing' : 'header_invalid', name)
    return
  }
  if (expected.family === 'UNIX') return assert.equal(seen, 'header_invalid', name)
  const { source, destination } = expected
  if (source && 'port' in source && source.port === 0) return assert.equal(seen, 'source_port', name)
  const result = decodeHeader(bytes, options)
  assert.ok(result.status === 'header')
  const own = { address: PEER.address, port: PEER.port }
  const payload = toHex(bytes.subarray(expected.byteLength)) + toHex(Buffer.from(PAYLOAD))
  const shown = source ?? own
  assert.deepEqual(seen, { payload, shown, source: shown, destination, header: result.header }, name)
}

test('spp.json: each vector is accepted or dropped as it says', async () => {
  for (const vector of sppVectors) await checkSppVector(vector)
})

async function checkSppVector({ name, bytes, expected }: SppVector): Promise<void> {
  const seen = await receive(bytes, { framing: 'spp' })
  if (expected.status === 'invalid') {
    const isMissing = expected.code === 'header_missing' || bytes.length === 0
    return assert.equal(seen, isMissing ? 'header_missing' : 'header_invalid', name)
  }
  const { source, destination, payload } = expected
  if (source.port === 0) return assert.equal(seen, 'source_port', name)
  assert.deepEqual(seen, { payload, shown: source, source, destination, header: undefined }, name)
}
