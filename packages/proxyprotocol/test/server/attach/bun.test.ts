// What attach() refuses on Bun, asked on Node with Bun's version passed in; the smoke suite asks Bun itself.

import assert from 'node:assert/strict'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import { test } from 'node:test'
import tls from 'node:tls'
import { untyped } from 'test-support/untyped'
import { refuseOnBun } from '../../../src/server/attach/bun.ts'

test('on Bun only net and cleartext http2 servers can be attached to, and the error names front()', () => {
  for (const server of [net.createServer(), http2.createServer()]) refuseOnBun(server, '1.4.5')
  const secure = [tls.createServer(), https.createServer(), http2.createSecureServer()]
  // Bun's HTTP server is not a net.Server.
  for (const server of [http.createServer(), ...secure, untyped({})]) {
    assert.throws(() => refuseOnBun(server, '1.4.5'), { name: 'Error', message: /put front\(\) in front of/ })
  }
})

test('on other runtimes any server can be attached to', () => {
  refuseOnBun(https.createServer(), undefined)
})
