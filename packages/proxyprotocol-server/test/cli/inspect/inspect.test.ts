// What proxyprotocol-inspect shows of a header, as text and as JSON.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeHeader, encodeSpp, tlv } from 'proxyprotocol'
import { extensionTlv } from 'proxyprotocol/server'
import { wantsColours } from '../../../src/cli/inspect/inspect.ts'
import { run } from '../../support/inspect.ts'

const line = 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n'

function hexOf(text: string): string {
  return Buffer.from(text).toString('hex')
}

test('a header is shown field by field, with what follows it', async () => {
  const { code, out } = await run([hexOf(`${line}GET /`)])
  assert.equal(code, 0)
  assert.equal(
    out,
    `PROXY protocol version 1, PROXY, 45 bytes

0000  50 52 4f 58 59           signature              2.1    PROXY
0005  20                       separator              2.1    space
0006  54 43 50 34              protocol               2.1    TCP4
000a  20                       separator              2.1    space
000b  31 39 32 2e 30 2e 32 2e  source address         2.1    192.0.2.1
0013  31
0014  20                       separator              2.1    space
0015  31 39 38 2e 35 31 2e 31  destination address    2.1    198.51.100.7
001d  30 30 2e 37
0021  20                       separator              2.1    space
0022  35 36 33 32 34           source port            2.1    56324
0027  20                       separator              2.1    space
0028  34 34 33                 destination port       2.1    443
002b  0d 0a                    line end               2.1    CR LF

5 bytes of payload

002d  47 45 54 20 2f           GET /
`,
  )
})

test('one byte behind a header is one byte', async () => {
  const { out } = await run([hexOf(`${line}G`)])
  assert.match(out, /^1 byte of payload$/m)
})

test('TLVs are shown as a tree, and what is not printable ASCII is escaped', async () => {
  const tlvs = [tlv.authority('a\u001b[31m\u202e'), tlv.ssl({ version: 'TLSv1.3' })]
  const { out } = await run([Buffer.from(encodeHeader({ command: 'LOCAL', tlvs })).toString('base64')])
  assert.match(out, /^0010 {27}authority {14}2\.2\.2 {2}"a\\u001b\[31m\\u202e"$/m)
  assert.match(out, /^\w{4} {2}01 {25}client {15}2\.2\.6 {2}0x01 SSL$/m)
  assert.match(out, /^\w{4} {29}sslVersion {11}2\.2\.6 {2}TLSv1\.3$/m)
})

test('what is not a header is shown with the byte at fault, what was wanted there, and what came', async () => {
  const { code, out } = await run(['--as', 'raw', 'GET / HTTP/1.1\r\n'])
  assert.equal(code, 3)
  assert.equal(
    out,
    `no header: byte 0 is the first that cannot be part of one

0000  47 45 54 20 2f 20 48 54  GET / HT
      ^^
0008  54 50 2f 31 2e 31 0d 0a  TP/1.1..

wanted  a header must start with "PROXY " (version 1) or 0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a (version 2)
got     this looks like an HTTP request without a header; is the sender set to send one?
`,
  )
})

test('a malformed header is shown up to its fault, and a long rest is not', async () => {
  const { code, out } = await run([hexOf(`PROXY TCP4 192.0.2.256 ${'x'.repeat(100)}`)])
  assert.equal(code, 3)
  assert.match(out, /^a malformed header: v1_address at byte 21\n/)
  assert.match(out, /^0010 .*\n {21}\^\^\n0018/m)
  assert.match(out, /^ {6}\.\.\. 59 bytes more\n\nwanted {2}an address must be four decimal octets/m)
})

test('half a header says how much is missing, and nothing at all is half a header', async () => {
  const one = await run([hexOf(line.slice(0, -1))])
  assert.match(one.out, /^the start of a header: it is not complete after 44 bytes\n/)
  assert.match(one.out, /\nwanted {2}at least 1 more byte must follow\n$/)
  const none = await run([])
  assert.equal(none.code, 3)
  assert.match(
    none.out,
    /^the start of a header: it is not complete after 0 bytes\n\nwanted {2}at least \d+ more bytes must follow\n$/,
  )
})

test('--json says the same as data, in printable ASCII', async () => {
  const bytes = encodeHeader({ command: 'LOCAL', tlvs: [tlv.authority('ä')] })
  const { out } = await run(['--json', Buffer.concat([bytes, Buffer.from('x')]).toString('hex')])
  assert.match(out, /^[ -~]+\n$/)
  const { status, byteLength, header, fields, payload } = JSON.parse(out) as {
    status: string
    byteLength: number
    header: { tlvs: unknown }
    fields: { name: string; value: string }[]
    payload: string
  }
  assert.deepEqual([status, byteLength, payload], ['header', bytes.length, '78'])
  assert.deepEqual(header.tlvs, [{ type: 2, value: 'c3a4' }])
  assert.deepEqual(fields.at(-1)?.value, 'ä')
  const faults: unknown[] = []
  for (const text of ['PROXY TCP5', 'PROXY', 'GET /']) {
    faults.push(JSON.parse((await run(['--json', hexOf(text)])).out))
  }
  const [invalid, partial, absent] = faults as {
    status: string
    code?: string
    offset: number
    got?: string
  }[]
  assert.deepEqual([invalid?.status, invalid?.code, invalid?.offset], ['invalid', 'v1_protocol', 9])
  assert.deepEqual([partial?.status, partial?.offset, partial?.got], ['partial', 5, undefined])
  assert.deepEqual([absent?.status, absent?.code, absent?.offset], ['absent', undefined, 0])
  assert.match(absent?.got ?? '', /HTTP/)
})

test('colours are for terminals: with them the text is the same', async () => {
  for (const input of [hexOf(line), hexOf('GET /')]) {
    const plain = await run([input])
    const painted = await run([input], { colours: true })
    assert.ok(painted.out.includes('\u001b['))
    assert.equal(painted.out.replace(/\u001b\[\d+m/g, '').replace(/ +$/gm, ''), plain.out)
  }
  assert.ok(wantsColours({ isTTY: true }, {}))
  assert.ok(!wantsColours({ isTTY: true }, { NO_COLOR: '1' }))
  assert.ok(!wantsColours({}, {}))
})

test('a wrong checksum is shown with the one that would be right, as text and as data', async () => {
  const right = Buffer.from(encodeHeader({ command: 'LOCAL' }, { checksum: true }))
  const wrong = Buffer.concat([right.subarray(0, -4), Buffer.alloc(4)]).toString('hex')
  const value = `0x${right.subarray(-4).toString('hex')}`
  assert.match(
    (await run([wrong])).out,
    new RegExp(`\\nwanted  the CRC-32C checksum must be ${value}, got 0x00000000\\n`),
  )
  const { code, checksum } = JSON.parse((await run(['--json', wrong])).out) as Record<string, unknown>
  assert.deepEqual([code, checksum], ['checksum_mismatch', value])
})

test('a malformed header gets no hint that it looks like one', async () => {
  assert.doesNotMatch((await run([hexOf('PROXY TCP5')])).out, /^got/m)
})

test('the certificate in the extension of the Python library is shown as its JSON, as text and as data', async () => {
  const certificate = extensionTlv({ peercert: { version: 3 } })
  const bytes = encodeHeader({
    command: 'LOCAL',
    tlvs: [certificate, extensionTlv({ peercert: { version: 4 } })],
  })
  const { out } = await run([Buffer.from(bytes).toString('hex')])
  assert.match(out, /peercert +2\.2\.4 +\{"version":3\}/)
  assert.doesNotMatch(out, /"version":4/) // the first one counts
  const { out: json } = await run(['--json', Buffer.from(bytes).toString('hex')])
  assert.match(json, /"value":"\{\\"version\\":3\}"/)
})

test('a datagram of Simple Proxy Protocol is shown field by field, as text and as JSON', async () => {
  const source = { address: '192.0.2.1', port: 5353 }
  const destination = { address: '2001:db8::53', port: 53 }
  const input = Buffer.from(encodeSpp({ source, destination }, Buffer.from('query'))).toString('hex')
  const { code, out } = await run([input])
  assert.equal(code, 0)
  assert.match(out, /^Simple Proxy Protocol, 38 bytes\n\n0000 {2}56 ec /)
  assert.match(out, /^0024 {2}00 35 {20}destination port {14}53$/m)
  assert.match(out, /^5 bytes of payload\n\n0026 /m)
  const json = await run(['--json', input])
  const { fields, ...said } = JSON.parse(json.out) as { readonly fields: readonly unknown[] }
  assert.equal(fields.length, 5)
  const expected = { status: 'header', protocol: 'spp', byteLength: 38 }
  assert.deepEqual(said, {
    ...expected,
    header: { source, destination },
    payload: Buffer.from('query').toString('hex'),
  })
})

test('a part of Simple Proxy Protocol is named, and is not a header', async () => {
  const { code, out } = await run(['56ec0000'])
  assert.equal(code, 3)
  assert.match(out, /this looks like Simple Proxy Protocol/)
})
