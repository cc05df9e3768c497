import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeHeader, encodeHeader, headerFields, tlv, type HeaderField } from '../../../src/codec/index.ts'
import { vectorFiles } from '../../support/vectors.ts'

function fieldsOf(bytes: Uint8Array): readonly HeaderField[] {
  const decoded = decodeHeader(bytes)
  assert.ok(decoded.status === 'header')
  return headerFields(bytes, decoded)
}

/** Offset, name and value of each field and of those inside it. */
function shown(fields: readonly HeaderField[], indent = ''): readonly string[] {
  return fields.flatMap(({ offset, byteLength, name, value, fields: inside }) => [
    `${indent}${offset}+${byteLength} ${name}: ${value}`,
    ...shown(inside, `${indent}  `),
  ])
}

function assertFilled(fields: readonly HeaderField[], from: number, to: number): void {
  let at = from
  for (const field of fields) {
    assert.equal(field.offset, at, `${field.name} does not follow the field before it`)
    at += field.byteLength
    if (field.fields.length > 0) assertFilled(field.fields, field.offset, at)
  }
  assert.equal(at, to)
}

test('the fields of every header among the vectors fill it, and those inside a field fill that', () => {
  let count = 0
  for (const { bytes, options } of vectorFiles.flatMap(({ vectors }) => vectors)) {
    const decoded = decodeHeader(bytes, options)
    if (decoded.status !== 'header') continue
    assertFilled(headerFields(bytes, decoded), 0, decoded.byteLength)
    count++
  }
  assert.ok(count > 50, `only ${count}`)
})

test('a version 1 line is its words and its separators', () => {
  const line = new TextEncoder().encode('PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\nGET /')
  assert.deepEqual(shown(fieldsOf(line)), [
    '0+5 signature: PROXY',
    '5+1 separator: space',
    '6+4 protocol: TCP4',
    '10+1 separator: space',
    '11+9 source address: 192.0.2.1',
    '20+1 separator: space',
    '21+12 destination address: 198.51.100.7',
    '33+1 separator: space',
    '34+5 source port: 56324',
    '39+1 separator: space',
    '40+3 destination port: 443',
    '43+2 line end: CR LF',
  ])
  assert.ok(fieldsOf(line).every(({ section }) => section === '2.1'))
})

test('what stands behind UNKNOWN is ignored, with a space or without', () => {
  for (const rest of ['', ' 192.0.2.1 a', 'x', '  ']) {
    const fields = shown(fieldsOf(new TextEncoder().encode(`PROXY UNKNOWN${rest}\r\n`)))
    const ignored = rest === '' ? [] : [`13+${rest.length} ignored: ${rest}`]
    assert.deepEqual(fields, [
      '0+5 signature: PROXY',
      '5+1 separator: space',
      '6+7 protocol: UNKNOWN',
      ...ignored,
      `${13 + rest.length}+2 line end: CR LF`,
    ])
  }
})

test('a version 2 header is its fixed part, its ends and its TLVs, with the TLVs inside them', () => {
  const bytes = encodeHeader({
    source: { address: '2001:db8::1', port: 1 },
    destination: { address: '2001:db8::2', port: 443 },
    tlvs: [
      tlv.alpn('h2'),
      tlv.ssl({
        version: 'TLSv1.3',
        certOnConnection: true,
        clientVerified: true,
        cn: 'me',
        clientCert: Uint8Array.of(1),
      }),
      tlv.uniqueId(Uint8Array.of(1, 2)),
      tlv.noop(2),
      tlv.noop(0),
      { type: 0x31, value: Uint8Array.of(7) },
    ],
  })
  const lines = shown(fieldsOf(bytes))
  assert.deepEqual(lines.slice(0, 17), [
    '0+12 signature: version 2',
    '12+1 version, command: 2, PROXY',
    '13+1 family, transport: INET6, STREAM',
    '14+2 length: 85 bytes follow',
    '16+16 source address: 2001:db8::1',
    '32+16 destination address: 2001:db8::2',
    '48+2 source port: 1',
    '50+2 destination port: 443',
    '52+5 alpn: h2',
    '  52+1 type: 0x01',
    '  53+2 length: 2 bytes',
    '  55+2 value: h2',
    '57+27 ssl: TLSv1.3, client certificate verified',
    '  57+1 type: 0x20',
    '  58+2 length: 24 bytes',
    '  60+1 client: 0x03 SSL CERT_CONN',
    '  61+4 verify: 0',
  ])
  for (const line of [
    '  65+10 sslVersion: TLSv1.3',
    '    68+7 value: TLSv1.3',
    '  75+5 sslCn: me',
    '  80+4 sslClientCert: 0x01',
    '84+5 uniqueId: 0x0102',
    '89+5 noop: 2 bytes of padding',
    '94+3 noop: 0 bytes of padding',
    '97+4 unassigned 0x31: 0x07',
  ]) {
    assert.ok(lines.includes(line), `${line}\n${lines.join('\n')}`)
  }
})

test('a checksum is shown as the number that decoding has verified', () => {
  const [field] = fieldsOf(encodeHeader({ command: 'LOCAL' }, { checksum: true })).slice(-1)
  assert.match(field?.value ?? '', /^0x[0-9a-f]{8}, correct$/)
  assert.deepEqual([field?.name, field?.section], ['checksum', '2.2.3'])
  const twice = [3, 0, 4, 1, 2, 3, 4, 3, 0, 4, 1, 2, 3, 4]
  const local = fieldsOf(
    Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x20, 0, 0, 14, ...twice),
  )
  assert.equal(local.at(-1)?.value, '0x01020304, not checked')
})

test('UNIX paths are shown as text, or as all of their bytes', () => {
  const odd = new Uint8Array(108).fill(0xff)
  const fields = shown(fieldsOf(encodeHeader({ source: { path: '/run/a' }, destination: { path: odd } })))
  assert.deepEqual(fields.slice(4), [
    '16+108 source path: /run/a',
    `124+108 destination path: 0x${'ff'.repeat(108)}`,
  ])
})

test('the block of LOCAL is ignored where it holds no TLVs', () => {
  const bytes = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x20, 0x11, 0, 4, 1, 9, 9, 9)
  assert.deepEqual(shown(fieldsOf(bytes)).slice(1), [
    '12+1 version, command: 2, LOCAL',
    '13+1 family, transport: UNSPEC, UNSPEC',
    '14+2 length: 4 bytes follow',
    '16+4 ignored: 4 bytes',
  ])
})

test('the extension of the Python library is shown field by field', () => {
  const values = { 1: 'zlib', 2: '\x01\x00', 3: 'x\x9c', 4: 'bl.example' }
  const extension = tlv.extension(
    Object.entries(values).map(([type, text]) => ({
      type: Number(type),
      value: Buffer.from(text, 'latin1'),
    })),
  )
  const odd = Uint8Array.of(...extension.value, 2, 0, 1, 9, 9, 0, 0)
  const lines = shown(
    fieldsOf(encodeHeader({ command: 'LOCAL', tlvs: [extension, { type: 4, value: odd }] })),
  )
  for (const line of [
    /^16\+\d+ noop: extension of the Python library proxy-protocol$/,
    /^ {2}19\+8 magic: 0x881b79c1ce9685b0$/,
    /^ {2}\d+\+7 compression: zlib$/,
    /^ {2}\d+\+5 secretBits: 256$/,
    /^ {2}\d+\+\d+ peercert: 0x789c$/,
    /^ {2}\d+\+13 dnsbl: bl\.example$/,
    /^ {2}\d+\+3 unassigned 0x09: 0x$/,
  ]) {
    assert.ok(
      lines.some(shownLine => line.test(shownLine)),
      `${line}\n${lines.join('\n')}`,
    )
  }
})

test('values of the extension that are not what their types promise are shown as bytes', () => {
  const magic = tlv.extension([]).value
  const parts = [1, 2, 3, 4].flatMap(type => [type, 0, 1, 0xff])
  const lines = shown(
    fieldsOf(
      encodeHeader({ command: 'LOCAL', tlvs: [{ type: 4, value: Uint8Array.of(...magic, ...parts) }] }),
    ),
  )
  assert.equal(lines.filter(line => /^ {2}\d+\+4 \w+: 0xff$/.test(line)).length, 4, lines.join('\n'))
})

test('types without a name say who may use them, and vendors say their ids', () => {
  const values = [0x31, 0xe5, 0xf0, 0xf8].map(type => ({ type, value: new Uint8Array() }))
  const vendors = [
    tlv.spiffe('spiffe://a/b'),
    tlv.aws('vpce-1'),
    tlv.azure(7),
    tlv.gcp(8n),
    tlv.alibaba('vpcId', 'v'),
    tlv.netns('red'),
  ]
  const lines = shown(fieldsOf(encodeHeader({ command: 'LOCAL', tlvs: [...values, ...vendors] })))
  const names = lines.filter(line => line.startsWith('0') || /^\d/.test(line)).slice(4)
  assert.deepEqual(
    names.map(line => line.replace(/^\S+ /, '')),
    [
      'unassigned 0x31: 0x',
      'custom 0xe5: 0x',
      'experimental 0xf0: 0x',
      'reserved 0xf8: 0x',
      'spiffe: spiffe://a/b',
      'aws: vpce-1',
      'azure: 7',
      'gcp: 8',
      'alibaba: v',
      'netns: red',
    ],
  )
})

test('an SSL TLV in a block that is not judged is shown as bytes where it is none, and says what is not verified', () => {
  const lines = shown(
    fieldsOf(
      encodeHeader({
        command: 'LOCAL',
        tlvs: [{ type: 0x20, value: Uint8Array.of(1, 0, 0, 0, 1, 0x22, 0, 1, 0xff) }],
      }),
    ),
  )
  assert.deepEqual(lines.slice(4), [
    '16+12 ssl: of unknown version',
    '  16+1 type: 0x20',
    '  17+2 length: 9 bytes',
    '  19+1 client: 0x01 SSL',
    '  20+4 verify: 1, not verified',
    '  24+4 sslCn: 0xff',
    '    24+1 type: 0x22',
    '    25+2 length: 1 bytes',
    '    27+1 value: 0xff',
  ])
  const fixed = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x20, 0, 0, 5]
  const none = shown(fieldsOf(Uint8Array.of(...fixed, 0x20, 0, 2, 1, 2)))
  assert.ok(none.includes('16+5 ssl: 0x0102'), none.join('\n'))
  const bare = shown(fieldsOf(Uint8Array.of(...fixed.slice(0, 15), 8, 0x20, 0, 5, 0, 0, 0, 0, 0)))
  assert.ok(bare.includes('  19+1 client: 0x00'), bare.join('\n'))
})
