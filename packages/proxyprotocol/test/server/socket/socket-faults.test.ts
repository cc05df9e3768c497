// Which errors of a socket are the client's doing, and which were made on this side.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientFault } from '../../../src/server/socket/socket-faults.ts'

function fault(code: unknown): Error {
  return Object.assign(new Error('fault'), { code })
}

test('what the network does to a connection is a reset by the client', () => {
  for (const code of ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETDOWN']) {
    assert.equal(clientFault(fault(code)), 'client_reset', code)
  }
})

test('what breaks TLS is the fault of the client', () => {
  for (const code of ['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_TLS_CERT_ALTNAME_INVALID']) {
    assert.equal(clientFault(fault(code)), 'tls_client_error', code)
  }
})

test('any other error is none of the client, whatever its code is', () => {
  for (const code of [
    'ENOENT',
    'EACCES',
    'ABORT_ERR',
    'ERR_STREAM_PREMATURE_CLOSE',
    'XERR_SSL_',
    '',
    20,
    undefined,
  ]) {
    assert.equal(clientFault(fault(code)), undefined, String(code))
  }
  assert.equal(clientFault(new Error('ECONNRESET')), undefined, 'a message is not a code')
  assert.equal(clientFault(new DOMException('fault', 'AbortError')), undefined)
})
