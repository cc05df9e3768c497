// How a connection with TLS ends when its handler returns (contract 6 on TLS).

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { certificate } from 'test-support/certificates'
import { outcome, text } from 'test-support/sockets'
import type { Handler, ServerOptions } from '../../../src/server/index.ts'
import { V2 } from '../../support/headers.ts'
import { dialSecure } from '../../support/secure.ts'
import { HeaderFirst } from '../../support/segments.ts'
import { counted, over, createHarness, type Served, type Harness } from '../../support/harness.ts'
import { discards } from '../../support/open-connections.ts'
import { MIB, dialOver } from '../../support/secure-contract.ts'

/** The content types of TLS records (RFC 8446, 5.1). */
const ALERT = 21
const DATA = 23

function serve(harness: Harness, handler: Handler, options: Partial<ServerOptions> = {}): Promise<Served> {
  return harness.serve(handler, { tls: certificate, ...options })
}

test('contract 6: a return sends close_notify and FIN, discards what still comes, and waits for the peer', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, ({ socket }) => void socket.write('bye'))
  const records: Buffer[] = []
  const raw = harness.dial(served.port)
  raw.on('data', (chunk: Buffer) => records.push(chunk))
  const secure = connect({
    socket: new HeaderFirst(raw, V2, 'one segment'),
    ca: certificate.cert,
    servername: 'localhost',
    maxVersion: 'TLSv1.2', // 1.3 hides the types of records
  })
  assert.equal(await text(secure), 'bye')
  assert.deepEqual(recordTypes(Buffer.concat(records)).slice(-2), [DATA, ALERT])
  const connection = await discards(served, secure, 4 * MIB)
  secure.end()
  await over(served, 1)
  assert.equal(connection.state, 'closed')
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 6: a return after the FIN of the peer closes at once', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, async ({ socket }) => void socket.write(`got ${await text(socket)}`))
  const { secure } = dialSecure(harness, served.port)
  assert.deepEqual(await outcome(secure.end('hello')), { text: 'got hello', end: 'FIN' })
  await over(served, 1)
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 6: what was written before the return arrives, however much it is', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, ({ socket }) => void socket.write(Buffer.alloc(16 * MIB, 'x')))
  const { secure } = await dialOver(harness, served)
  const { text: received, end } = await outcome(secure.once('end', () => secure.end()))
  assert.deepEqual([received.length, end], [16 * MIB, 'FIN'])
  await over(served, 1)
  assert.deepEqual(counted(served), { done: 1 })
})

test('contract 6: a peer that does not end its side is closed after timeouts.halfClose', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, ({ socket }) => void socket.write('bye'), {
    timeouts: { halfClose: 50 },
  })
  const { secure } = await dialOver(harness, served)
  const ended = outcome(secure)
  await over(served, 1)
  assert.deepEqual(counted(served), { half_close_timeout: 1 })
  secure.end()
  assert.equal((await ended).text, 'bye')
})

test('contract 6: a peer that does not take what was written is reset', async t => {
  const harness = createHarness(t)
  const served = await serve(harness, ({ socket }) => void socket.write(Buffer.alloc(64 * MIB)), {
    timeouts: { halfClose: 50 },
  })
  const { secure, raw } = await dialOver(harness, served)
  await once(secure, 'readable')
  const failed = once(raw, 'error') as Promise<[NodeJS.ErrnoException]>
  await over(served, 1)
  assert.deepEqual(counted(served), { half_close_timeout: 1 })
  raw.write('') // sends nothing, and fails where an RST has come
  assert.equal((await failed)[0].code, 'ECONNRESET')
})

/** The types of the TLS records of which a stream consists. */
function recordTypes(bytes: Buffer): number[] {
  const types: number[] = []
  for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) types.push(bytes.readUInt8(at))
  return types
}
