// Where connections go whose TLS handshake fails or takes too long (contract 4, 10, 16, 22 and 24).

import assert from 'node:assert/strict'

import type { Socket } from 'node:net'
import { test } from 'node:test'
import type { ConnectionOptions, TlsOptions } from 'node:tls'
import { certificate, otherCertificate } from 'test-support/certificates'
import { outcome, text, turns, until, type Outcome } from 'test-support/sockets'
import type { Connection, ServerOptions } from '../../../src/server/index.ts'
import { SOURCE, V2 } from '../../support/headers.ts'
import { dialSecure } from '../../support/secure.ts'
import { counted, over, createHarness, type Served, type Harness } from '../../support/harness.ts'

/** Milliseconds; short, because the tests wait for it to pass. */
const TIMEOUT = 100

/** The first bytes of a ClientHello of 512 bytes. */
const HELLO = Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01)
const mutual: TlsOptions = { ...certificate, requestCert: true, ca: otherCertificate.cert }

interface Refusal {
  readonly name: string
  readonly options?: Partial<ServerOptions>
  /** What comes after the header: bytes, or TLS with these options. */
  readonly client: Uint8Array | string | ConnectionOptions
  /** What the client does after its bytes; by default it waits. */
  readonly then?: (client: Socket) => unknown
  /** What `diagnosticsChannels.rejected` says after "TLS with the client failed: ". */
  readonly detail: RegExp
  /** How it ends for the client. Default FIN. */
  readonly end?: string
}

const timeouts = { handshake: TIMEOUT }
const SOON = 'socket hang up'
// as Node calls a FIN before its time

const refusals: readonly Refusal[] = [
  { name: 'an HTTP request', client: 'GET / HTTP/1.1\r\nhost: a\r\n\r\n', detail: /^http request$/ },
  { name: 'a second header', client: V2, detail: /^(?:wrong version number|packet length too long)$/ },
  { name: 'silence', options: { timeouts }, client: '', detail: /^TLS handshake timeout$/ },
  {
    name: 'a part of a ClientHello, then silence',
    options: { timeouts },
    client: HELLO,
    detail: /^TLS handshake timeout$/,
  },
  {
    name: 'a part of a ClientHello, then FIN',
    client: HELLO,
    then: client => client.end(),
    detail: new RegExp(`^${SOON}$`),
  },
  {
    name: 'a part of a ClientHello, then RST',
    client: HELLO,
    then: client => client.resetAndDestroy(),
    detail: /^read ECONNRESET$/,
    end: 'closed',
  },
  {
    name: 'a version that is too old',
    options: { tls: { ...certificate, minVersion: 'TLSv1.3' } },
    client: { maxVersion: 'TLSv1.2' },
    detail: /^unsupported protocol$/,
    end: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  },
  {
    name: 'a protocol that is not on the list',
    options: { tls: { ...certificate, ALPNProtocols: ['imap'] } },
    client: { ALPNProtocols: ['pop3'] },
    detail: /^no application protocol$/,
    end: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
  },
  {
    name: 'a client that does not believe the certificate',
    client: { ca: otherCertificate.cert },
    detail: new RegExp(`^(?:${SOON}|read ECONNRESET)$`),
    end: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  },
  {
    name: 'no client certificate where one is wanted',
    options: { tls: mutual },
    client: { maxVersion: 'TLSv1.2' }, // with 1.3 the client is done before it is refused
    detail: /^peer did not return a certificate$/,
    end: 'ERR_SSL_ALERT_HANDSHAKE_FAILURE',
  },
  {
    name: 'an untrusted client certificate',
    options: { tls: mutual },
    client: certificate,
    detail: /^DEPTH_ZERO_SELF_SIGNED_CERT$/,
  },
]

/** Waits for a connection to have sent its header, which is what its handshake waits for. */
async function shaking(served: Served): Promise<Connection> {
  const waiting = (): Connection | undefined =>
    [...served.server.connections].find(({ info }) => info.header !== undefined)
  await until(() => waiting() !== undefined)
  await turns(1)
  return waiting() ?? assert.fail()
}

async function attempt(
  harness: Harness,
  served: Served,
  { client, then }: Pick<Refusal, 'client' | 'then'>,
): Promise<Outcome> {
  if (typeof client === 'object' && !(client instanceof Uint8Array)) {
    const { secure } = dialSecure(harness, served.port, client)
    return outcome(secure.once('end', () => secure.end()))
  }
  const raw = harness.dial(served.port)
  const ended = outcome(raw)
  raw.write(V2)
  const { socket } = await shaking(served)
  raw.write(client)
  await until(() => socket.bytesRead === V2.length + client.length || served.closed.length > 0)
  then?.(raw)
  raw.once('end', () => raw.end())
  return ended
}

for (const { name, options, detail, end = 'FIN', ...client } of refusals) {
  test(`contract 4: ${name} instead of a handshake is counted as tls_client_error, and no handler starts`, async t => {
    const harness = createHarness(t)
    const fail = (): never => assert.fail('the handler started')
    const served = await harness.serve(fail, { tls: certificate, ...options })
    const seen = await attempt(harness, served, client)
    // OpenSSL 3.5 names some alerts otherwise.
    assert.deepEqual(
      { ...seen, end: seen.end.replace(/SSLV3_ALERT_H|SSL\/TLS_ALERT_H/, 'ALERT_H') },
      { text: '', end },
    )
    await over(served, 1)
    assert.deepEqual(counted(served), { tls_client_error: 1 })
    const [rejected = assert.fail(), ...more] = served.rejected
    assert.deepEqual(more, [])
    assert.deepEqual([rejected.info.source, rejected.error.code], [SOURCE, 'tls_client_error'])
    const [, said = ''] = rejected.error.message.split('TLS with the client failed: ')
    assert.match(said, detail)
    assert.ok(rejected.error.cause instanceof Error)
  })
}

for (const [options, header] of [[{}, V2] as const, [{ version: 'none' }, ''] as const]) {
  const behind = header === '' ? 'without headers' : 'behind its header'
  test(`contract 4: ${behind} a client that ends or resets without a byte of TLS is a quiet probe`, async t => {
    const harness = createHarness(t)
    const fail = (): never => assert.fail('the handler started')
    const served = await harness.serve(fail, { tls: certificate, ...options })
    const ways = [
      (client: Socket): unknown => client.end(),
      (client: Socket): unknown => client.resetAndDestroy(),
    ]
    for (const [index, end] of ways.entries()) {
      const client = harness.dial(served.port)
      const ended = outcome(client)
      client.write(header)
      await until(() =>
        [...served.server.connections].some(({ socket }) => socket.bytesRead === header.length),
      )
      await turns(1)
      end(client)
      await ended
      await over(served, index + 1)
    }
    assert.deepEqual(counted(served), { probe: 2 })
    assert.deepEqual(served.rejected, [])
  })
}

test('contract 22: the deadline of a handshake is absolute, however steadily bytes drip', async t => {
  const harness = createHarness(t)
  const options = { tls: certificate, timeouts }
  const served = await harness.serve(() => assert.fail('the handler started'), options)
  const client = harness.dial(served.port)
  const ended = outcome(client)
  client.write(Buffer.concat([V2, HELLO]))
  let dripped = 0
  await until(() => {
    if (dripped < 500) client.write('\0') // the record has no more
    dripped++
    return served.server.stats().closed.tls_client_error > 0
  })
  client.end()
  await ended
  await over(served, 1)
  assert.match(served.rejected[0]?.error.message ?? '', /: TLS handshake timeout$/)
})

test('contract 22: a connection in its handshake does not keep the process alive by a timer', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(() => assert.fail('the handler started'), { tls: certificate })
  const client = harness.dial(served.port)
  client.write(V2)
  await shaking(served)
  assert.equal(process.getActiveResourcesInfo().includes('Timeout'), false)
  client.end()
  await over(served, 1)
})

/** A connection whose client has sent its header and half a ClientHello. */
async function halfShaken(harness: Harness) {
  const served = await harness.serve(() => assert.fail('the handler started'), { tls: certificate })
  const client = harness.dial(served.port)
  const ended = outcome(client)
  client.write(Buffer.concat([V2, HELLO]))
  return { served, ended, connection: await shaking(served) }
}

test('contract 10: abort() during the handshake resets, and the handler does not start', async t => {
  const harness = createHarness(t)
  const { served, ended, connection } = await halfShaken(harness)
  assert.deepEqual([connection.state, connection.tls], ['header', undefined])
  connection.abort('denied_acl')
  assert.equal((await ended).end, 'ECONNRESET')
  await over(served, 1)
  assert.deepEqual(counted(served), { denied_acl: 1 })
  assert.deepEqual(served.rejected, [], 'the client is not to blame')
})

test('contract 16: close() ends connections in their handshake at once', async t => {
  const harness = createHarness(t)
  const { served, ended } = await halfShaken(harness)
  assert.deepEqual(await served.server.close(), { drained: 0, forced: 1, stuck: [] })
  assert.equal((await ended).end, 'ECONNRESET')
  assert.deepEqual(counted(served), { aborted: 1 })
})

/** One of them comes between the verdict and the handshake. */
const microtasks = [0, 1, 2]

for (const count of microtasks) {
  test(`contract 4: a socket that is destroyed ${count} microtasks after its validator has no handshake`, async t => {
    const harness = createHarness(t)
    const destroyLater = async (): Promise<void> => {
      for (let left = count; left > 0; left--) await Promise.resolve()
      for (const { socket } of served.server.connections) socket.destroy()
    }
    const validate = (): undefined => void destroyLater()
    const options = { tls: certificate, validate }
    const served = await harness.serve(() => assert.fail('the handler started'), options)
    const ended = outcome(harness.dial(served.port).end(V2))
    assert.equal((await ended).text, '')
    await over(served, 1)
    const [reason = ''] = Object.keys(counted(served))
    assert.ok(['aborted', 'probe'].includes(reason), reason)
  })
}

test('a handshake that fails or waits harms no other connection', async t => {
  const harness = createHarness(t)
  const served = await harness.serve(async ({ socket }) => void socket.end(await text(socket)), {
    tls: certificate,
  })
  const silent = harness.dial(served.port)
  silent.write(V2)
  await shaking(served)
  await outcome(harness.dial(served.port).end(Buffer.concat([V2, Buffer.from('GET / HTTP/1.1\r\n\r\n')])))
  for (const word of ['one', 'two', 'three']) {
    const { secure } = dialSecure(harness, served.port)
    assert.deepEqual(await outcome(secure.end(word)), { text: word, end: 'FIN' })
  }
  silent.end()
  await over(served, 5)
  assert.deepEqual(counted(served), { done: 3, tls_client_error: 1, probe: 1 })
})
