// The SSL TLV: what it says of the client, and what it does not prove.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { untyped } from 'test-support/untyped'
import {
  encodeHeader,
  parseHeader,
  readTlvs,
  tlv,
  type SslInfo,
  type SslInit,
} from '../../../src/codec/index.ts'
import { fromHex, toHex } from '../../support/vectors.ts'

const all: Required<SslInit> = {
  version: 'TLSv1.3',
  certOnConnection: true,
  certInSession: true,
  clientVerified: true,
  cn: 'Zoë Client',
  cipher: 'TLS_AES_256_GCM_SHA384',
  sigAlg: 'RSA-SHA256',
  keyAlg: 'RSA2048',
  group: 'secp256r1',
  sigScheme: 'rsa_pss_rsae_sha256',
  clientCert: Uint8Array.of(0x30, 0x01, 0xff),
}

function read(hex: string): SslInfo | undefined {
  return readTlvs({ tlvs: [{ type: 0x20, value: fromHex(hex) }] }).ssl
}

function roundTrip(init: SslInit): SslInfo | undefined {
  const source = { address: '192.0.2.1', port: 1 }
  return readTlvs(parseHeader(encodeHeader({ source, destination: source, tlvs: [tlv.ssl(init)] }))).ssl
}

test('everything that tlv.ssl() takes comes back', () => {
  const { tlvs, ...info } = roundTrip(all) ?? {}
  const { certOnConnection, certInSession, ...texts } = all
  assert.ok(certOnConnection && certInSession)
  assert.deepEqual(info, { client: 7, verify: 0, encrypted: true, ...texts })
  assert.deepEqual(
    tlvs?.map(({ type }) => type),
    [0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28],
  )
})

test('what is left out is undefined', () => {
  const { tlvs, ...info } = roundTrip({ version: 'TLSv1.2' }) ?? {}
  assert.equal(tlvs?.length, 1)
  assert.deepEqual(info, {
    client: 1,
    verify: 1,
    encrypted: true,
    clientVerified: false,
    version: 'TLSv1.2',
    cn: undefined,
    cipher: undefined,
    sigAlg: undefined,
    keyAlg: undefined,
    group: undefined,
    sigScheme: undefined,
    clientCert: undefined,
  })
})

describe('verify == 0 alone does not mean a verified client: a certificate bit must be there too', () => {
  const verified: Readonly<Record<string, boolean>> = {
    '0000000000': false,
    '0100000000': false, // haproxy without a client certificate
    '0100000001': false, // nginx without a client certificate
    '0200000000': true,
    '0300000000': true,
    '0400000000': true,
    '0700000000': true,
    '0700000001': false,
    '07ffffffff': false,
    '0701000000': false,
    f800000000: false,
  }
  for (const [hex, clientVerified] of Object.entries(verified)) {
    test(`${hex}: ${String(clientVerified)}`, () => {
      assert.equal(read(hex)?.clientVerified, clientVerified)
    })
  }
})

test('a certificate bit without the first bit means TLS all the same (known bug 31)', () => {
  const encrypted = ['00', '01', '02', '04', '07', '08', 'f8'].map(
    client => read(`${client}00000000`)?.encrypted,
  )
  assert.deepEqual(encrypted, [false, true, true, true, true, false, false])
})

test('client and verify are numbers as they stand there', () => {
  assert.equal(read('ff80000001')?.client, 0xff)
  assert.equal(read('ff80000001')?.verify, 0x8000_0001)
})

test('text that is not valid in its encoding is undefined: US-ASCII, and UTF-8 for the common name', () => {
  const ssl = read('0100000000' + '210001ff' + '220001ff' + '230002c3a4')
  assert.deepEqual([ssl?.version, ssl?.cn, ssl?.cipher], [undefined, undefined, undefined])
  assert.equal(read('0100000000' + '220002c3a4')?.cn, 'ä')
  assert.equal(ssl?.tlvs.length, 3)
})

test('the first of several sub-TLVs counts, unknown ones and an SSL TLV among them stay opaque', () => {
  const ssl = read('0100000000' + '21000161' + '21000162' + '990000' + '200001ff')
  assert.equal(ssl?.version, 'a')
  assert.deepEqual(
    ssl.tlvs.map(({ type, value }) => [type, toHex(value)]),
    [
      [0x21, '61'],
      [0x21, '62'],
      [0x99, ''],
      [0x20, 'ff'],
    ],
  )
})

test('a value that is unsound, as only LOCAL may hold it, says nothing', () => {
  for (const hex of ['', '01000000', '010000000021', '01000000002100', '0100000000210001']) {
    assert.equal(read(hex), undefined)
  }
})

describe('tlv.ssl() refuses', () => {
  const refused: readonly (readonly [unknown, string])[] = [
    [{}, 'version must be text, got undefined'],
    [
      { version: 'TLSv1.3', clientVerified: true },
      'clientVerified needs certOnConnection or certInSession: nothing was there to verify',
    ],
    [{ version: 'Tä' }, 'version must be US-ASCII text, got "Tä"'],
    [{ version: 'TLSv1.3', cipher: 7 }, 'cipher must be text, got 7'],
    [{ version: 'TLSv1.3', cn: '\ud800' }, 'cn must be text, got "\\ud800"'],
    [{ version: 'TLSv1.3', clientCert: 'PEM' }, 'clientCert must be a Uint8Array, got "PEM"'],
  ]
  for (const [init, message] of refused) {
    test(message, () => {
      assert.throws(() => tlv.ssl(untyped(init)), { name: 'TypeError', message })
    })
  }

  test('a certificate that no TLV can hold', () => {
    const message = 'the value of TLV 40 must have at most 65535 bytes, got 65536'
    assert.throws(() => tlv.ssl({ version: 'x', clientCert: new Uint8Array(65_536) }), {
      name: 'RangeError',
      message,
    })
  })
})

test('a cipher in UTF-8 that is not US-ASCII is undefined, one letter of it included', () => {
  const value = fromHex('0100000000' + '230003' + '41c3a4')
  assert.equal(readTlvs({ tlvs: [{ type: 0x20, value }] }).ssl?.cipher, undefined)
})
