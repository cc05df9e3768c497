// The certificate in the extension of the Python library, found in a header and shown among its fields.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeHeader, encodeHeader, headerFields, parseHeader, type HeaderField } from 'proxyprotocol'
import { extensionTlv } from 'proxyprotocol/server'
import { deflatedPeercert, withPeercert } from '../../src/explain/index.ts'

const tlvs = [extensionTlv({ peercert: { version: 3 } })]
const bytes = encodeHeader({ command: 'LOCAL', tlvs })

function valuesOf(fields: readonly HeaderField[], name: string): readonly string[] {
  return fields.flatMap(field => [
    ...(field.name === name ? [field.value] : []),
    ...valuesOf(field.fields, name),
  ])
}

test('the deflated certificate of a header is that of its extension', () => {
  assert.equal(Buffer.from(deflatedPeercert(parseHeader(bytes)) ?? []).readUInt16BE(), 0x789c)
  assert.equal(deflatedPeercert(parseHeader(encodeHeader({ command: 'LOCAL' }))), undefined)
  assert.equal(
    deflatedPeercert({ ...parseHeader(bytes), tlvs: [extensionTlv({ secretBits: 1 })] }),
    undefined,
  )
})

test('the first certificate among the fields says what it is told, and nothing else changes', () => {
  const result = decodeHeader(bytes)
  assert.ok(result.status === 'header')
  const before = headerFields(bytes, result)
  const after = withPeercert(before, 'inflated')
  assert.deepEqual(valuesOf(after, 'peercert'), ['inflated'])
  assert.deepEqual(valuesOf(after, 'magic'), valuesOf(before, 'magic'))
  assert.match(valuesOf(before, 'peercert')[0] ?? '', /^0x789c/)
})
