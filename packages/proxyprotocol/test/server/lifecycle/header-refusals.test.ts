// Connections that fail before `open` are closed and counted with a reason (contract 4).

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { outcome, until } from 'test-support/sockets'
import { encodeHeader } from '../../../src/codec/index.ts'
import type { CloseReason, ServerOptions } from '../../../src/server/index.ts'
import { DESTINATION, encode, SOURCE, V1, V2 } from '../../support/headers.ts'
import { counted, over, createHarness } from '../../support/harness.ts'

/** Milliseconds; short, because the tests wait for it to pass. */
const TIMEOUT = 100
const SIGNATURE = encodeHeader({ command: 'LOCAL' }).subarray(0, 12)

interface Refusal {
  readonly name: string
  readonly options?: Partial<ServerOptions>
  readonly bytes: Uint8Array | string
  /** What the client does after its bytes; by default it waits. */
  readonly then?: (client: Socket) => unknown
  readonly reason: CloseReason
  /** What `diagnosticsChannels.rejected` says; undefined where it must stay quiet. */
  readonly message?: RegExp
}

const timeouts = { header: TIMEOUT }

const refusals: readonly Refusal[] = [
  {
    name: 'silence',
    options: { timeouts },
    bytes: '',
    reason: 'header_timeout',
    message: /^no complete header arrived in time: nothing came within 100 ms; .* on_first_ack$/,
  },
  {
    name: 'a part of a header, then silence',
    options: { timeouts },
    bytes: V1.subarray(0, 20),
    reason: 'header_timeout',
    message: /: 20 bytes had come after 100 ms$/,
  },
  {
    name: 'a part of a header, then FIN',
    bytes: V2.subarray(0, 27),
    then: client => client.end(),
    reason: 'header_invalid',
    message: /^the header must be complete/,
  },
  {
    name: 'an HTTP request',
    bytes: 'GET / HTTP/1.1\r\nhost: example.org\r\n\r\n',
    reason: 'header_missing',
    message: /^the connection does not start with a PROXY protocol header .*HTTP request without a header/,
  },
  {
    name: 'a TLS ClientHello',
    bytes: Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01),
    reason: 'header_missing',
    message: /TLS ClientHello/,
  },
  {
    name: 'a byte that no header starts with',
    bytes: '\0',
    reason: 'header_missing',
    message: /^the connection does not start with a PROXY protocol header/,
  },
  {
    name: 'version 2 where version 1 is wanted',
    options: { version: 'v1' },
    bytes: V2,
    reason: 'header_missing',
    message: /looks like a version 2 header, which is not accepted here/,
  },
  {
    name: 'version 1 where version 2 is wanted',
    options: { version: 'v2' },
    bytes: V1,
    reason: 'header_missing',
    message: /looks like a version 1 header, which is not accepted here/,
  },
  {
    name: 'a version that does not exist',
    bytes: Buffer.concat([SIGNATURE, Uint8Array.of(0x31, 0x11, 0, 12), V2.subarray(16)]),
    reason: 'header_invalid',
    message: /^the version after the signature must be 2/,
  },
  {
    name: 'a header longer than the server accepts',
    bytes: Buffer.concat([SIGNATURE, Uint8Array.of(0x21, 0x11, 0xff, 0xff)]),
    reason: 'header_invalid',
    message: /^the header must fit the limit/,
  },
  {
    name: 'a header longer than the option allows',
    options: { limits: { headerBytes: 27 } },
    bytes: V2,
    reason: 'header_invalid',
    message: /^the header must fit the limit/,
  },
  {
    name: 'a checksum that does not match',
    bytes: flipLast(encode({ source: SOURCE, destination: DESTINATION }, { checksum: true })),
    reason: 'header_invalid',
    message: /^the CRC-32C checksum must match/,
  },
  {
    name: 'addresses of two families',
    bytes: 'PROXY TCP6 2001:db8::1 127.0.0.1 1 2\r\n',
    reason: 'header_invalid',
    message: /mixedFamilies: "promote"/,
  },
  {
    name: 'a bad line with a good one behind it (known bug 14)',
    bytes: Buffer.concat([Buffer.from('PROXY TCP4 192.0.2.256 '), V1, V2]),
    reason: 'header_invalid',
    message: /^an address must be four decimal octets/,
  },
  {
    name: 'a line without an end (known bug 1)',
    bytes: 'PROXY UNKNOWN '.padEnd(100_000, 'x'),
    reason: 'header_invalid',
    message: /^a version 1 line must end with CR LF within its first 107 bytes/,
  },
  {
    name: 'a valid header from a peer that is not trusted',
    options: { trust: ['192.0.2.0/24', 'unix'] },
    bytes: V2,
    reason: 'untrusted_peer',
    message: /^the peer is not trusted to send a PROXY protocol header: 127\.0\.0\.1$/,
  },
  {
    name: 'no header from a peer that is not trusted (known bug 21)',
    options: { trust: [] },
    bytes: 'hello',
    reason: 'untrusted_peer',
    message: /: 127\.0\.0\.1$/,
  },
  {
    name: 'a part of a header, then RST',
    bytes: V1.subarray(0, 20),
    then: client => client.resetAndDestroy(),
    reason: 'client_reset',
    message: /^the client reset the connection$/,
  },
  { name: 'FIN without a byte', bytes: '', then: client => client.end(), reason: 'probe' },
  { name: 'RST without a byte', bytes: '', then: client => client.resetAndDestroy(), reason: 'probe' },
]

for (const { name, options = {}, bytes, then, reason, message } of refusals) {
  test(`contract 4: ${name} is closed and counted as ${reason}, and no handler starts`, async t => {
    const harness = createHarness(t)
    const served = await harness.serve(() => assert.fail('the handler started'), options)
    const client = harness.dial(served.port)
    const ended = outcome(client)
    client.write(bytes)
    const arrived = (): boolean =>
      [...served.server.connections].some(({ socket }) => socket.bytesRead >= bytes.length)
    await until(() => arrived() || served.closed.length > 0)
    then?.(client)
    await over(served, 1)
    client.end()
    assert.equal((await ended).text, '')
    assert.deepEqual(counted(served), { [reason]: 1 })
    assert.deepEqual(
      served.closed.map(closed => closed.reason),
      [reason],
    )
    const [rejected, ...more] = served.rejected
    assert.deepEqual(more, [])
    if (message === undefined) assert.equal(rejected, undefined)
    else assert.match(rejected?.error.message ?? '', message)
    assert.equal(rejected?.connection?.reason ?? reason, reason)
  })
}

function flipLast(bytes: Buffer): Buffer {
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  return bytes
}
