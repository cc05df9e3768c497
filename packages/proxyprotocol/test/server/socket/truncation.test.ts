// The three ways in which a TLS stream stops: close_notify, FIN alone, and RST, on connections that were accepted and on those
// that were made.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { createServer as createTlsServer, type SecureVersion, type TLSSocket } from 'node:tls'
import { certificate } from 'test-support/certificates'
import { content, listenRaw, outcome, turns, until, type Outcome } from 'test-support/sockets'
import { temporaryFolder } from 'test-support/folder'
import { connect } from '../../../src/client/index.ts'
import { createServer, distinguishResets } from '../../../src/server/index.ts'
import { dialSecure, secureOver } from '../../support/secure.ts'
import { counted, over, readToEnd, createHarness, type Harness } from '../../support/harness.ts'

const CUT = 'ERR_SSL_UNEXPECTED_EOF_WHILE_READING'
const ROUNDS = 20

interface Near {
  /** What was made with connect(), and distinguishes resets. */
  readonly near: TLSSocket
  readonly far: TLSSocket
  /** Under the far end. */
  readonly raw: Socket
}

/** A connection of connect() to a TLS server of the test's own. */
async function made(harness: Harness, maxVersion: SecureVersion, allowHalfOpen = true): Promise<Near> {
  const { port, accept } = await listenRaw(harness)
  const server = createTlsServer(certificate)
  const ready = once(server, 'secureConnection') as Promise<[TLSSocket]>
  const where = { host: '127.0.0.1', port, allowHalfOpen, tls: { ca: certificate.cert, maxVersion } }
  const connecting = connect(where, 'none')
  const raw = await accept()
  server.emit('connection', raw)
  const [[far], near] = await Promise.all([ready, connecting])
  far.allowHalfOpen = true
  far.on('error', () => {})
  harness.defer(() => [near, far].map(socket => socket.destroy()))
  distinguishResets(near)
  await turns(1) // what ends in the moment of its handshake has no close_notify
  return { near, far, raw }
}

const ends: Readonly<Record<string, (ends: Near, bytes: Uint8Array) => unknown>> = {
  close_notify: ({ far }, bytes) => far.end(bytes),
  'a FIN alone': ({ far, raw }, bytes) => far.write(bytes, () => raw.end()),
  'a FIN within a record': ({ far, raw }, bytes) =>
    far.write(bytes, () => {
      raw.write(Uint8Array.of(0x17, 3, 3, 1, 0, 9, 9, 9))
      raw.end()
    }),
  'an RST': ({ far, raw }, bytes) => far.write(bytes, () => raw.resetAndDestroy()),
}

const expected: Readonly<Record<string, string>> = {
  close_notify: 'FIN',
  'a FIN alone': CUT,
  'a FIN within a record': CUT,
  'an RST': 'ECONNRESET',
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  for (const [name, end] of Object.entries(ends)) {
    test(`distinguishResets() takes ${name} for ${String(expected[name])}, by ${maxVersion}`, async t => {
      const harness = createHarness(t)
      for (let i = 0; i < ROUNDS; i++) {
        const pair = await made(harness, maxVersion)
        const ended: Promise<Outcome> = outcome(pair.near)
        const bytes = Buffer.alloc(i % 2 === 0 ? 0 : 100_000, i)
        end(pair, bytes)
        if (name === 'close_notify') {
          await once(pair.near, 'end')
          pair.near.end()
        }
        const result = await ended
        // An RST that is not a FIN to Node before 24 may be what a write fails with.
        assert.equal(result.end === 'EPIPE' ? 'ECONNRESET' : result.end, expected[name])
        if (name !== 'an RST' && expected[name] === 'FIN') assert.equal(result.text.length, bytes.length)
      }
    })
  }
}

test('a server that is sent a FIN without close_notify aborts with tls_client_error, and its handler gets no end', async t => {
  const harness = createHarness(t)
  const seen: unknown[] = []
  const served = await harness.serve(
    async ({ socket, signal }) => {
      await content(socket).catch((error: unknown) => seen.push((error as NodeJS.ErrnoException).code))
      seen.push((signal.reason as Error).message)
    },
    { tls: certificate },
  )
  for (let i = 0; i < ROUNDS; i++) {
    const { secure, raw } = dialSecure(harness, served.port)
    await once(secure, 'secureConnect')
    await turns(1)
    secure.write('begun', () => raw.end())
    await over(served, i + 1)
  }
  assert.deepEqual(counted(served), { tls_client_error: ROUNDS })
  assert.deepEqual(new Set(seen.filter((_, index) => index % 2 === 0)), new Set([CUT]))
})

test('an end that has come is one, however late it is read, and whatever the peer does after it', async t => {
  const harness = createHarness(t)
  for (let i = 0; i < ROUNDS; i++) {
    const { near, far, raw } = await made(harness, 'TLSv1.3')
    near.pause()
    const bytes = Buffer.alloc(i % 2 === 0 ? 10 : 200_000, 1)
    far.end(bytes)
    await turns(20)
    assert.equal((await content(near)).length, bytes.length)
    near.end()
    far.resume()
    await once(near, 'close')
    assert.equal(near.errored, null)
    raw.destroy()
  }
})

test('a handler that returns at once ends its stream with a close_notify', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(() => {}, { tls: certificate })
  for (let i = 0; i < ROUNDS; i++) {
    const near = await connect(
      { host: '127.0.0.1', port: served.port, tls: { ca: certificate.cert } },
      { command: 'LOCAL' },
    )
    distinguishResets(near)
    assert.deepEqual(await outcome(near), { text: '', end: 'FIN' })
  }
})

test('TLS over a UNIX socket has no RST, and is cut off all the same', async t => {
  const harness = createHarness(t)
  const folder = temporaryFolder(t)
  const path = join(folder, 'socket')
  const served = harness.watch(createServer({ trust: 'anyone', tls: certificate }, readToEnd))
  await served.listen({ path })
  const { secure, raw } = dialSecure(harness, path)
  await once(secure, 'secureConnect')
  await turns(1)
  secure.write('begun', () => raw.end())
  await until(() => served.stats().closed.tls_client_error === 1)
})

test('over a UNIX socket a close_notify is an end, also of a peer that closes right behind it', async t => {
  const harness = createHarness(t)
  const folder = temporaryFolder(t)
  const path = join(folder, 'socket')
  const server = createTlsServer({ ...certificate, allowHalfOpen: true }).listen(path)
  harness.defer(() => once(server.close(), 'close'))
  await once(server, 'listening')
  const ready = once(server, 'secureConnection') as Promise<[TLSSocket]>
  const { secure, raw } = secureOver(harness, harness.dial(path))
  const [near] = await ready
  distinguishResets(near)
  secure.end('all', () => raw.destroy())
  assert.equal((await content(near)).toString(), 'all')
  await turns(3)
  const { errored, destroyed } = near
  near.destroy()
  assert.deepEqual([errored, destroyed], [null, false])
})
