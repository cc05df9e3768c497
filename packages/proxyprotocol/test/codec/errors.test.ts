// ProxyProtocolError as an error among errors.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorMessages, ProxyProtocolError } from '../../src/codec/index.ts'

test('an error has its code, its name and the message of the table', () => {
  const error = new ProxyProtocolError('aborted')
  assert.ok(error instanceof Error)
  assert.equal(error.name, 'ProxyProtocolError')
  assert.equal(error.code, 'aborted')
  assert.equal(error.message, errorMessages.aborted)
  assert.equal(error.offset, undefined)
  assert.ok(!('cause' in error))
})

test('a class that extends ProxyProtocolError knows its own errors alone', () => {
  class Own extends ProxyProtocolError {}
  assert.ok(new Own('done') instanceof Own && new Own('done') instanceof ProxyProtocolError)
  assert.ok(!(new ProxyProtocolError('done') instanceof Own))
})

test('offset and detail stand in the message', () => {
  const error = new ProxyProtocolError('header_missing', { offset: 0, detail: 'this looks like mail' })
  assert.equal(error.message, `${errorMessages.header_missing} (at byte 0): this looks like mail`)
  assert.equal(error.offset, 0)
})

test('undefined options are as good as none', () => {
  const error = new ProxyProtocolError('done', { offset: undefined, detail: undefined })
  assert.equal(error.message, errorMessages.done)
})

test('a cause is kept, whatever it is', () => {
  const cause = new Error('ECONNRESET')
  assert.equal(new ProxyProtocolError('client_reset', { cause }).cause, cause)
  assert.ok('cause' in new ProxyProtocolError('client_reset', { cause: undefined }))
})

test('codes are words that logs and metrics can use, messages are fragments without a final dot', () => {
  for (const [code, message] of Object.entries(errorMessages)) {
    assert.match(code, /^[a-z][a-z0-9_]*$/)
    assert.match(message, /[^.\s]$/)
  }
})

test('the message of every fault in a header says what must be', () => {
  const codes = Object.keys(errorMessages)
  for (const [code, message] of Object.entries(errorMessages).slice(0, codes.indexOf('done'))) {
    assert.match(message, / must /, code)
    assert.doesNotMatch(message, /\b(?:not an?|neither|none of|wanted)\b/, code)
  }
})
