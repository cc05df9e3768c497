// Headers as log fields: everything that arrived is there, and known things by their names.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeHeader, parseHeader, tlv, type Tlv } from 'proxyprotocol'
import { extensionTlv } from 'proxyprotocol/server'
import { describeConnection } from '../../src/log/header-fields.ts'
import { formatLine } from '../../src/log/text.ts'

const via = { peer: { address: '192.0.2.9', port: 1 }, local: { address: '192.0.2.8', port: 2 } }

function infoOf(bytes: Uint8Array): Parameters<typeof describeConnection>[0] {
  const header = parseHeader(bytes)
  const ends = 'source' in header ? header : { source: via.peer, destination: via.local }
  return { source: ends.source, destination: ends.destination, via, header }
}

/** The TLVs of a header as they are logged. */
function shown(...tlvs: Tlv[]): string {
  const fields = describeConnection(infoOf(encodeHeader({ command: 'LOCAL', tlvs })))
  const line = formatLine(new Date(0), 'connection', fields)
  return line.slice(line.indexOf('transport=UNSPEC ') + 'transport=UNSPEC '.length)
}

test('a connection is described by its peer, both ends of the original one, and what its header is', () => {
  const source = { address: '198.51.100.7', port: 51234 }
  const destination = { address: '198.51.100.8', port: 443 }
  for (const version of [1, 2] as const) {
    assert.deepEqual(describeConnection(infoOf(encodeHeader({ version, source, destination }))), [
      ['peer', '192.0.2.9:1'],
      ['source', '198.51.100.7:51234'],
      ['destination', '198.51.100.8:443'],
      ['version', version],
      ['command', 'PROXY'],
      ['family', 'INET'],
      ['transport', 'STREAM'],
    ])
  }
})

test('a connection without a header is described by its own ends', () => {
  const info = { source: via.peer, destination: undefined, via, header: undefined }
  assert.deepEqual(describeConnection({ ...info }), [
    ['peer', '192.0.2.9:1'],
    ['source', '192.0.2.9:1'],
    ['destination', 'unknown'],
  ])
})

test('TLVs are shown by name and in order, each as often as it came', () => {
  assert.equal(
    shown(tlv.alpn('h2'), tlv.authority('example.org'), tlv.alpn('http/1.1'), tlv.netns('blue')),
    'alpn=h2 authority=example.org alpn=http/1.1 netns=blue',
  )
})

test("cloud providers' ids are shown as they write them", () => {
  assert.equal(
    shown(
      tlv.aws('vpce-08d2bf15fac5001c9'),
      tlv.azure(7),
      tlv.gcp(2n ** 63n),
      tlv.alibaba('vpcId', 'vpc-1'),
      tlv.alibaba('endpointId', 'ep-2'),
      tlv.alibaba('endpointServiceId', 'eps-3'),
    ),
    'aws=vpce-08d2bf15fac5001c9 azure=7 gcp=9223372036854775808 alibaba=vpc-1 alibaba=ep-2 alibaba=eps-3',
  )
})

test('what has no text is shown in hexadecimal: unique ids, checksums, unknown types, and known ones that are malformed', () => {
  assert.equal(shown(tlv.uniqueId('GET /')), 'uniqueId=0x474554202f')
  assert.equal(shown({ type: 0xe5, value: Buffer.from('\n\u001b') }), 'tlv.0xe5=0x0a1b')
  assert.equal(shown({ type: 0x02, value: Uint8Array.of(0xff) }), 'authority=0xff')
  assert.equal(shown({ type: 0xea, value: Uint8Array.of(9) }), 'aws=0x09')
  const fields = describeConnection(infoOf(encodeHeader({ command: 'LOCAL' }, { checksum: true })))
  assert.match(formatLine(new Date(0), 'connection', fields), / checksum=0x[0-9a-f]{8}$/)
})

test('text in a TLV cannot leave its field', () => {
  assert.equal(
    shown(tlv.authority('a\n2026-01-01 connection peer=\u001b[2K\u009b\u202e"')),
    String.raw`authority="a\n2026-01-01 connection peer=\u001b[2K\u009b\u202e\""`,
  )
})

test("padding is shown by its length, and the Python library's extension in it field by field", () => {
  assert.equal(shown(tlv.noop(5)), 'noop=5B')
  const line = shown(
    extensionTlv({ compression: 'zlib', secretBits: 256, dnsbl: 'zen', peercert: { cn: 'a b' } }),
  )
  assert.match(
    line,
    /^noop=\d+B extension\.compression=zlib extension\.secretBits=256 extension\.peercert="\{\\"cn\\":\\"a b\\"\}" extension\.dnsbl=zen$/,
  )
  assert.match(shown(extensionTlv({})), /^noop=\d+B$/)
})

test("the client's TLS connection is shown field by field", () => {
  const line = shown(
    tlv.ssl({
      version: 'TLSv1.3',
      certOnConnection: true,
      clientVerified: true,
      cn: 'a client',
      cipher: 'TLS_AES_256_GCM_SHA384',
      clientCert: Uint8Array.of(0x30),
    }),
  )
  assert.equal(
    line,
    'ssl.encrypted=true ssl.clientVerified=true ssl.version=TLSv1.3 ssl.cn="a client" ' +
      'ssl.cipher=TLS_AES_256_GCM_SHA384 ssl.clientCert=0x30',
  )
})

test('a UNIX path is escaped, and shown in hexadecimal where it is not text', () => {
  const source = { path: '/run/a b\n.sock' }
  const destination = { path: Uint8Array.from({ length: 108 }, () => 0xff) }
  const fields = describeConnection(infoOf(encodeHeader({ source, destination })))
  const line = formatLine(new Date(0), 'connection', fields)
  assert.ok(line.includes(String.raw` source="/run/a b\n.sock" `))
  assert.match(line, / destination=0x(ff){64}\.\.\.\(108 bytes\) /)
})
