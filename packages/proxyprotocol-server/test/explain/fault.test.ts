// What the inspector says of bytes that are no header, over every fault that the vectors have.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeHeader, errorMessages } from 'proxyprotocol'
import { vectorFiles } from 'proxyprotocol/vectors'
import { explainFault } from '../../src/explain/index.ts'

test('every fault among the vectors is explained by a sentence that says what is right', () => {
  const explained = new Set<string>()
  for (const { bytes, options, name } of vectorFiles.flatMap(({ vectors }) => vectors)) {
    const result = decodeHeader(bytes, options)
    if (result.status === 'header') continue
    const { wanted } = explainFault(bytes, result)
    assert.match(wanted, /^\S.* must .*[^.\s]$/, name)
    assert.doesNotMatch(wanted, /\b(?:not an?|neither|none of|does not|is not)\b/, name)
    explained.add(result.status === 'invalid' ? result.code : result.status)
  }
  const codes = Object.keys(errorMessages)
  const faults = codes.slice(0, codes.indexOf('done'))
  const ofParsing = ['header_truncated', 'trailing_bytes'] // decoding calls them partial, and payload
  assert.deepEqual(
    faults.filter(code => !explained.has(code)),
    ofParsing,
  )
  assert.ok(explained.has('absent') && explained.has('partial'))
})

test('an octet that is too large is explained by what an address must be', () => {
  const bytes = new TextEncoder().encode('PROXY TCP4 192.0.2.256 198.51.100.7 1 2\r\n')
  const result = decodeHeader(bytes)
  assert.ok(result.status === 'invalid')
  assert.match(explainFault(bytes, result).wanted, /^an address must be four decimal octets/)
})
