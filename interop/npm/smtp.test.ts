// smtp-server behind attach() in each of its ways to TLS, and STARTTLS by hand with startTls(); the client is nodemailer.

import assert from 'node:assert/strict'
import type { Server, Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { createTransport } from 'nodemailer'
import { createServer, startTls } from 'proxyprotocol/server'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { certificate, CLIENT, HOST, listen, relayTo } from './support.ts'

/** Sends a mail through a relay that announces the client. */
async function send(t: TestContext, port: number, options: object): Promise<void> {
  const tls = { ca: certificate.cert, servername: 'localhost' }
  const transport = createTransport({ host: HOST, port: await relayTo(t, port), tls, ...options })
  t.after(() => transport.close())
  await transport.sendMail({ from: 'a@mail.example', to: 'b@mail.example', text: 'hello' })
}

for (const [name, served, asked, isSecure] of [
  ['in clear', { disabledCommands: ['STARTTLS'] }, { ignoreTLS: true }, false],
  ['with STARTTLS', {}, { requireTLS: true }, true],
  ['with TLS from the start', { secure: true }, { secure: true }, true],
] as readonly [string, SMTPServerOptions, object, boolean][]) {
  test(`smtp-server sees the client of a mail ${name}`, async t => {
    const seen: unknown[] = []
    const smtp = new SMTPServer({
      ...certificate,
      ...served,
      authOptional: true,
      disableReverseLookup: true,
      onData: (stream, { remoteAddress, remotePort, secure }, done) => {
        seen.push(remoteAddress, remotePort, secure)
        stream.resume().once('end', () => done())
      },
    })
    await send(t, await listen(t, smtp.server as Server), asked)
    assert.deepEqual(seen, [CLIENT.address, CLIENT.port, isSecure])
  })
}

const answers: Readonly<Record<string, string>> = {
  EHLO: '250-mail.example\r\n250 STARTTLS\r\n',
  DATA: '354 go on\r\n',
}

/** Answers each command up to a line that is the last. */
async function converse(socket: Socket, last: string): Promise<void> {
  let isData = false
  for await (const line of createInterface(socket)) {
    if (line === last) return
    if (!isData) socket.write(answers[line.slice(0, 4)] ?? '250 ok\r\n')
    isData ||= line === 'DATA'
  }
}

test('startTls() upgrades SMTP in a handler, and the TLS socket has the client', async t => {
  const seen: unknown[] = []
  const server = createServer({ trust: [HOST] }, async connection => {
    connection.socket.write('220 ready\r\n')
    await converse(connection.socket, 'STARTTLS')
    connection.socket.write('220 go ahead\r\n')
    const secure = await startTls(connection, certificate)
    seen.push(secure.remoteAddress, secure.remotePort, secure.getProtocol())
    await converse(secure, '.')
    secure.end('250 queued\r\n')
  })
  const { port } = (await server.listen(0, HOST)) as { port: number }
  t.after(() => server.close({ drain: 0 }))
  await send(t, port, { requireTLS: true })
  assert.deepEqual(seen, [CLIENT.address, CLIENT.port, 'TLSv1.3'])
})
