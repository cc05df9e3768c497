// Session tickets: where a session may be resumed, and when no longer.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { clientCertificate } from 'test-support/certificates'
import { emptyList, revokingList } from 'test-support/named-certificates'
import { parseService } from '../../../src/config/index.ts'
import { certificateFiles } from '../../support/certificate-files.ts'
import { makeFleet } from '../../support/fleet.ts'
import { namedFiles } from '../../support/named-files.ts'
import { startRelay } from '../../support/relay.ts'
import { isResumed, sessionAt } from '../../support/sessions.ts'
import { echo, startUpstream } from '../../support/upstream.ts'

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  const client = { maxVersion: version }

  test(`${version}: relays of a service with one secret resume each other's sessions, others do not`, async t => {
    const upstream = `127.0.0.1:${(await startUpstream(t, echo)).port}?pp=noop`
    const [secret, otherSecret] = [new Uint8Array(32), new Uint8Array(32).fill(1)]
    const service = { source: certificateFiles(t).source, name: 'web' }
    const one = await startRelay(t, upstream, { ...service, ticketSecret: () => secret })
    const two = await startRelay(t, upstream, { ...service, ticketSecret: () => secret })
    const other = await startRelay(t, upstream, { ...service, ticketSecret: () => otherSecret })
    const session = await sessionAt(t, one.port, client)
    assert.equal(await isResumed(t, two.port, { ...client, session }), true)
    assert.equal(await isResumed(t, other.port, { ...client, session }), false)
  })

  test(`${version}: after new ticket keys an earlier session gives a full handshake, and a new one is resumed`, async t => {
    const upstream = `127.0.0.1:${(await startUpstream(t, echo)).port}?pp=noop`
    for (const tls of [{}, { directory: namedFiles(t).directory }]) {
      let ticketSecret = new Uint8Array(32)
      const { source } = certificateFiles(t)
      const relay = await startRelay(t, upstream, { source, tls, ticketSecret: () => ticketSecret })
      const session = await sessionAt(t, relay.port, client)
      assert.equal(await isResumed(t, relay.port, { ...client, session }), true)
      ticketSecret = new Uint8Array(32).fill(1)
      relay.renewTicketKeys()
      assert.equal(await isResumed(t, relay.port, { ...client, session }), false)
      const newer = await sessionAt(t, relay.port, client)
      assert.equal(await isResumed(t, relay.port, { ...client, session: newer }), true)
    }
  })

  test(`${version}: a session of a client that was not asked for a certificate is not valid where one is required`, async t => {
    const upstream = `127.0.0.1:${(await startUpstream(t, echo)).port}?pp=noop`
    const { source, cert } = certificateFiles(t)
    const open = await startRelay(t, upstream, { source, name: 'web' })
    const strict = await startRelay(t, upstream, {
      source: `${source}&verify=CERT_REQUIRED&cafile=${cert}`,
      name: 'web',
    })
    const session = await sessionAt(t, open.port, client)
    await assert.rejects(isResumed(t, strict.port, { ...client, session }))
  })

  test(`${version}: a client whose certificate is revoked cannot resume its session`, async t => {
    const upstream = `127.0.0.1:${(await startUpstream(t, echo)).port}?pp=noop`
    const { source, cert, directory } = certificateFiles(t)
    const crl = join(directory, 'revoked.pem')
    writeFileSync(crl, emptyList)
    const relay = await startRelay(t, upstream, {
      source: `${source}&verify=CERT_REQUIRED&cafile=${cert}`,
      tls: { crl: [crl] },
    })
    const known = { ...client, ...clientCertificate }
    const session = await sessionAt(t, relay.port, known)
    assert.equal(await isResumed(t, relay.port, { ...known, session }), true)
    writeFileSync(crl, revokingList)
    relay.reloadCertificates()
    await assert.rejects(isResumed(t, relay.port, { ...known, session }))
  })
}

test('a session is resumed at the relay that takes the place of a changed one', async t => {
  const upstream = `127.0.0.1:${(await startUpstream(t, echo)).port}?pp=noop`
  const { source } = certificateFiles(t)
  const fleet = makeFleet(t)
  const change = await fleet.apply([parseService(source, upstream, { name: 'web' })])
  const { port } = Object(change.added[0]?.server.address) as { port: number }
  const session = await sessionAt(t, port)
  await fleet.apply([parseService(source, upstream, { name: 'web', timeouts: { connect: 4_000 } })])
  assert.equal(await isResumed(t, port, { session }), true)
})
