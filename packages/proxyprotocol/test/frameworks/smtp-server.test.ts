// Mail by smtp-server behind attach(): its sessions are the client's, in clear, after STARTTLS and on a port with TLS from
// the start.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server'
import { certificate } from 'test-support/certificates'
import { attach } from '../../src/server/index.ts'
import { trusted } from '../support/framework.ts'
import { V2 } from '../support/headers.ts'
import { secureOver } from '../support/secure.ts'
import { say } from '../support/smtp.ts'
import { createHarness } from '../support/harness.ts'

interface Mail {
  /** What each session said of its client, at its start and at each sender of a mail. */
  readonly seen: string[]
  readonly raw: Socket
  readonly secure: () => Socket
}

/** Starts a server that is attached to, and a client that has sent its header. */
async function serve(t: TestContext, options: SMTPServerOptions): Promise<Mail> {
  const harness = createHarness(t)
  const seen: string[] = []
  const note = ({ remoteAddress, remotePort, secure }: SMTPServerSession): unknown =>
    seen.push(`${remoteAddress}:${remotePort} ${secure}`)
  const smtp = new SMTPServer({
    ...options,
    ...certificate,
    authOptional: true,
    disableReverseLookup: true,
    onConnect: (session, done) => {
      note(session)
      done()
    },
    onMailFrom: (_from, session, done) => {
      note(session)
      done()
    },
  })
  smtp.on('error', () => {}) // the clients leave without a word
  attach(smtp.server, trusted).listen(0, '127.0.0.1')
  await once(smtp.server, 'listening')
  harness.defer(() => new Promise<void>(resolve => smtp.close(resolve)))
  const raw = harness.dial((smtp.server.address() as AddressInfo).port)
  raw.write(V2)
  return { seen, raw, secure: () => secureOver(harness, raw).secure }
}

test('attach() on smtp-server: sessions are the client, in clear and after STARTTLS', async t => {
  const { seen, raw, secure } = await serve(t, { secure: false })
  await say(raw, '', 220)
  await say(raw, 'EHLO client', 250)
  await say(raw, 'MAIL FROM:<a@example.org>', 250)
  await say(raw, 'RSET', 250)
  await say(raw, 'STARTTLS', 220)
  const over = secure()
  await say(over, 'EHLO client', 250)
  await say(over, 'MAIL FROM:<a@example.org>', 250)
  await say(over, 'QUIT', 221)
  assert.deepEqual(seen, ['192.0.2.1:56324 false', '192.0.2.1:56324 false', '192.0.2.1:56324 true'])
})

test('attach() on smtp-server: sessions are the client where TLS comes first', async t => {
  const { seen, secure } = await serve(t, { secure: true })
  const over = secure()
  await say(over, '', 220)
  await say(over, 'EHLO client', 250)
  await say(over, 'MAIL FROM:<a@example.org>', 250)
  await say(over, 'QUIT', 221)
  assert.deepEqual(seen, ['192.0.2.1:56324 true', '192.0.2.1:56324 true'])
})
