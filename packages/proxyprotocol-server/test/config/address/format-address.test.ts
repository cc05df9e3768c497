// How an address is written, for people and for net.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAddress, formatEndpoint, parseAddress, endpointOptions } from '../../../src/config/index.ts'
import { LISTEN, UPSTREAM, address, unix } from '../../support/addresses.ts'

test('formatAddress() writes a UNIX socket, and TLS, as they are read', () => {
  assert.equal(formatAddress(unix('/run/a?b#c%d+e f', 'v1')), 'unix:/run/a%3Fb%23c%25d%2Be%20f?pp=v1')
  const text = 'ssl://example.org:443?pp=v2&cert=c%26.pem&verify=CERT_REQUIRED&minversion=TLSv1.3&alpn=h2,x'
  assert.equal(formatAddress(parseAddress(text, UPSTREAM)), text)
  const settled = 'ssl+unix:/run/s?verify=CERT_NONE&minversion=TLSv1.2'
  assert.equal(formatAddress(parseAddress('tls+unix:///run/s?verify=CERT_NONE', UPSTREAM)), settled)
})

test('formatEndpoint() writes where it is, and nothing of its settings', () => {
  const texts = ['192.0.2.1:80', 'ssl://[::1]:443', 'unix:/run/a%3Fb', 'ssl+unix:/run/app.sock']
  for (const text of texts) assert.equal(formatEndpoint(parseAddress(`${text}?pp=v1`, UPSTREAM)), text)
})

test('endpointOptions() gives what net takes', () => {
  assert.deepEqual(endpointOptions(parseAddress(':80?pp=v1', LISTEN)), { host: undefined, port: 80 })
  assert.deepEqual(endpointOptions(parseAddress('unix:/run/app.sock?pp=v1', LISTEN)), {
    path: '/run/app.sock',
  })
})

test('formatAddress() writes brackets around IPv6 alone, and pp only where there is one', () => {
  assert.equal(formatAddress(address('192.0.2.1', 80)), '192.0.2.1:80')
  assert.equal(formatAddress(address('2001:db8::1', 80, 'noop')), '[2001:db8::1]:80?pp=noop')
  assert.equal(formatAddress(address(undefined, 0, 'detect')), ':0?pp=detect')
})
