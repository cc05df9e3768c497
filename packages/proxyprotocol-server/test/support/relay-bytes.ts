// What a relay sent, and how much it may hold.

import assert from 'node:assert/strict'
import { decodeHeader, type ProxyHeader } from 'proxyprotocol'

/** Splits what an upstream received into its header and the payload. */
export function split(bytes: Buffer): { header: ProxyHeader; payload: Buffer } {
  const result = decodeHeader(bytes)
  assert.equal(result.status, 'header')
  return { header: result.header, payload: bytes.subarray(result.byteLength) }
}
