// tshark: its dissector reads our headers from a capture file that we write, and must find the same fields.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { encodeHeader, tlv, type HeaderInit, type Tlv } from 'proxyprotocol'
import { provide, type Debian } from '../debian.ts'
import type { Case, Peer } from '../peer.ts'
import type { Harness } from '../harness.ts'

const program: Debian = { program: 'tshark', packages: ['tshark'], version: ['--version'] }

const four = {
  source: { address: '192.0.2.1', port: 56_324 },
  destination: { address: '198.51.100.7', port: 443 },
}
const six = {
  source: { address: '2001:db8::1', port: 56_324 },
  destination: { address: '2001:db8:ffff::7', port: 443 },
}
const sslTlv = tlv.ssl({
  ...{ version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', sigAlg: 'RSA-SHA256', keyAlg: 'RSA2048' },
  ...{ cn: 'client', certOnConnection: true, certInSession: true, clientVerified: true },
})
const plainTlvs = [
  ...[
    tlv.alpn('h2'),
    tlv.authority('front.example'),
    tlv.uniqueId('request-7'),
    tlv.netns('blue'),
    tlv.noop(4),
  ],
  ...[tlv.aws('vpce-08d2bf15fac5001c9'), tlv.azure(7), tlv.gcp(7n)],
]

/** Wireshark 4.0 shows no TLV that begins within the last 16 bytes of a header. */
const ending = tlv.noop(13)

/** What the dissector calls the fields; a field that it shows several times has its values between commas. */
type Fields = Readonly<Record<string, string>>

const ports: Fields = { 'proxy.srcport': '56324', 'proxy.dstport': '443' }
const fourFields: Fields = { 'proxy.src.ipv4': '192.0.2.1', 'proxy.dst.ipv4': '198.51.100.7', ...ports }
const sixFields: Fields = { 'proxy.src.ipv6': '2001:db8::1', 'proxy.dst.ipv6': '2001:db8:ffff::7', ...ports }
const stream = v2Fields('1', '0x01', '0x01')

const cases: readonly (readonly [name: string, header: HeaderInit, fields: Fields])[] = [
  ['v1 TCP4', { version: 1, ...four }, { 'proxy.v1.proto': 'TCP4', ...fourFields }],
  ['v1 TCP6', { version: 1, ...six }, { 'proxy.v1.proto': 'TCP6', ...sixFields }],
  ['v2 IPv4', four, { ...stream, ...fourFields }],
  ['v2 IPv6', six, { ...v2Fields('1', '0x02', '0x01'), ...sixFields }],
  ['v2 IPv4, datagram', { ...four, transport: 'DGRAM' }, { ...v2Fields('1', '0x01', '0x02'), ...fourFields }],
  [
    'v2 UNIX',
    { source: { path: '/run/client' }, destination: { path: '/run/app' } },
    { ...v2Fields('1', '0x03', '0x01'), ...unixFields('/run/client', '/run/app') },
  ],
  ['v2 LOCAL', { command: 'LOCAL' }, v2Fields('0', '0x00', '0x00')],
  [
    'v2 with TLVs of every kind',
    { ...four, tlvs: [...plainTlvs, ending] },
    { ...stream, ...fourFields, ...tlvFields(plainTlvs) },
  ],
  [
    'v2 with the TLV of TLS',
    { ...four, tlvs: [sslTlv] },
    {
      ...{
        ...stream,
        ...fourFields,
        'proxy.v2.tlv.ssl.client': '0x07',
        'proxy.v2.tlv.ssl.verify': '0x00000000',
      },
      ...{ 'proxy.v2.tlv.ssl.version': 'TLSv1.3', 'proxy.v2.tlv.ssl.cn': 'client' },
      ...{ 'proxy.v2.tlv.ssl.cipher': 'TLS_AES_256_GCM_SHA384', 'proxy.v2.tlv.ssl.sig_alg': 'RSA-SHA256' },
    },
  ],
]

export const tshark: Peer = {
  name: 'tshark',
  programs: [program],
  cases: harness =>
    Promise.resolve(cases.map(([name, header, fields]) => decoding(harness, name, { header, fields }))),
}

function decoding(
  harness: Harness,
  name: string,
  { header, fields }: { header: HeaderInit; fields: Fields },
): Case {
  return {
    direction: 'decodes',
    name,
    run: () => {
      const found = dissect(harness, encodeHeader(header), Object.keys(fields))
      for (const [field, value] of Object.entries(fields)) {
        const several = value.split(',').length
        assert.equal(found[field]?.split(',').slice(0, several).join(), value, field)
      }
      return Promise.resolve('the same fields')
    },
  }
}

function v2Fields(command: string, family: string, transport: string): Fields {
  return { 'proxy.v2.cmd': command, 'proxy.v2.addr_family': family, 'proxy.v2.protocol': transport }
}

function unixFields(source: string, destination: string): Fields {
  const hex = (path: string): string =>
    Buffer.concat([Buffer.from(path), Buffer.alloc(108)], 108).toString('hex')
  return { 'proxy.v2.src.unix': hex(source), 'proxy.v2.dst.unix': hex(destination) }
}

function tlvFields(tlvs: readonly Tlv[]): Fields {
  return {
    'proxy.v2.tlv.type': tlvs.map(({ type }) => `0x${type.toString(16).padStart(2, '0')}`).join(),
    'proxy.v2.tlv.value': tlvs.map(({ value }) => Buffer.from(value).toString('hex')).join(),
  }
}

function dissect(harness: Harness, header: Uint8Array, names: readonly string[]): Fields {
  const { path, environment } = provide(program)
  const file = harness.file('header.pcap', captureOf(header))
  const wanted = ['-T', 'fields', '-E', 'separator=|', ...names.flatMap(name => ['-e', name])]
  const { stdout, stderr } = spawnSync(path, ['-r', file, ...wanted], {
    encoding: 'utf8',
    env: { ...process.env, ...environment, HOME: harness.folder },
  })
  const values = stdout.trim().split('|')
  if (values.length !== names.length) throw new Error(`tshark said ${stdout} ${stderr}`)
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']))
}

/** A capture file of one packet: IPv4 without a link layer, TCP, and the header as its payload. */
function captureOf(payload: Uint8Array): Uint8Array {
  const packet = Buffer.alloc(40)
  packet[0] = 0x45 // version and length of the IP header
  packet.writeUInt16BE(packet.length + payload.length, 2)
  packet[8] = 64 // time to live
  packet[9] = 6 // TCP
  packet.set([127, 0, 0, 1, 127, 0, 0, 1], 12)
  packet.writeUInt16BE(40_000, 20)
  packet.writeUInt16BE(10_007, 22)
  packet[32] = 0x50 // length of the TCP header
  packet[33] = 0x18 // PSH and ACK
  const [file, record] = [Buffer.alloc(24), Buffer.alloc(16)]
  file.writeUInt32LE(0xa1b2c3d4, 0)
  file.writeUInt16LE(2, 4) // version 2.4 of the format
  file.writeUInt16LE(4, 6)
  file.writeUInt32LE(65_535, 16)
  file.writeUInt32LE(101, 20) // LINKTYPE_RAW
  record.writeUInt32LE(packet.length + payload.length, 8)
  record.writeUInt32LE(packet.length + payload.length, 12)
  return Buffer.concat([file, record, packet, payload])
}
