// The properties that hold for every text: parsing and formatting undo each other.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ConfigError, formatAddress, parseAddress } from '../../../src/config/index.ts'
import type { Address, AddressOptions } from '../../../src/config/index.ts'
import { LISTEN, UPSTREAM, address } from '../../support/addresses.ts'

const host = fc.oneof(
  fc.constant(''),
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map(ip => `[${ip}]`),
  fc.constantFrom('LOCALHOST', 'a_b', '[fe80::1%Eth0]'),
)
const query = fc.constantFrom('', '?', '?pp', '?pp=', '?pp=v1', '?pp=V2', '?pp=detect', '?pp=NoOp')

const tcp = fc
  .tuple(fc.constantFrom('', 'tcp://', 'Tcp://'), host, fc.integer({ min: 1, max: 65_535 }), query)
  .map(([scheme, name, port, rest]) => `${scheme}${name}:${String(port)}${rest}`)

const file = fc.string({ unit: 'grapheme', maxLength: 8 }).map(encodeURIComponent)
const name = file.filter(text => !/^(?:%2F)*$/.test(text) && !text.endsWith('%2F') && !text.includes('%00'))
const socket = fc.tuple(name, query).map(([path, rest]) => `unix:/${path}${rest}`)

const secure = fc
  .tuple(
    fc.constantFrom('ssl://:1', 'tls+unix:/s'),
    file,
    file,
    fc.constantFrom('', '&alpn=h2,x', '&minversion=TLSv1.3'),
  )
  .map(
    ([place, cert, cafile, rest]) => `${place}?cert=c${cert}&cafile=c${cafile}&verify=CERT_REQUIRED${rest}`,
  )

const service = fc
  .tuple(fc.constantFrom('srv', 'Ssl+srv'), fc.domain(), query)
  .map(([scheme, domain, rest]) => `${scheme}:_web._tcp.${domain}${rest}`)

const valid = fc.oneof(tcp, socket, secure)
const options = fc.constantFrom<AddressOptions>(LISTEN, UPSTREAM, { role: 'listen', defaultPort: 10_007 })

test('every valid text survives parse, format and parse again', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.tuple(valid, options), fc.tuple(service, fc.constant(UPSTREAM))),
      ([text, given]) => {
        const parsed = parseAddress(text, given)
        assert.deepEqual(parseAddress(formatAddress(parsed), given), parsed)
      },
    ),
  )
})

test('a host named unix survives parse and format, which would be a socket with a path behind it', () => {
  const parsed = parseAddress('unix', { role: 'listen', defaultPort: 80 })
  assert.deepEqual(parseAddress(formatAddress(parsed), LISTEN), address('unix', 80))
})

test('every text gives an address that formats to its own canonical text, or a ConfigError', () => {
  const piece = fc.constantFrom(
    ...Array.from('[]:/?&=%.-_*@#0179af \n'),
    '::',
    '://',
    'tcp',
    'unix',
    'ssl',
    '?cert=',
    'pp',
    'v1',
    'cert',
    'é',
  )
  const junk = fc.array(fc.oneof(piece, valid), { maxLength: 12 }).map(pieces => pieces.join(''))
  fc.assert(
    fc.property(fc.oneof(junk, fc.string({ unit: 'binary' })), options, (text, given) => {
      let parsed: Address
      try {
        parsed = parseAddress(text, given)
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error))
        return
      }
      assert.deepEqual(parseAddress(formatAddress(parsed), given), parsed)
    }),
    { numRuns: 2_000 },
  )
})
