// Servers of npm that start TLS themselves, or speak a protocol of their own: pg-gateway, ftp-srv and a SOCKS server.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import * as socks5 from '@pondwader/socks5-server'
import { Client as FtpClient } from 'basic-ftp'
import { FtpSrv, type FtpConnection } from 'ftp-srv'
import pg from 'pg'
import { PostgresConnection } from 'pg-gateway'
import { openSocket } from 'proxyprotocol/client'
import { SocksClient } from 'socks'
import { certificate, CLIENT, headerOf, HOST, listen, relayTo } from './support.ts'

const [key, cert] = [Buffer.from(certificate.key), Buffer.from(certificate.cert)]

for (const ssl of [false, { ca: certificate.cert }]) {
  test(`pg-gateway sees the client ${ssl ? 'over its own TLS' : 'in clear'}`, async t => {
    const seen: unknown[] = []
    const server = createServer(socket => {
      socket.on('error', () => undefined)
      const connection = new PostgresConnection(socket, {
        authMode: 'none',
        tls: { key, cert },
        onStartup: () => {
          seen.push((connection.secureSocket ?? socket).remoteAddress)
          return false
        },
      })
    })
    const port = await listen(t, server)
    const stream = () => openSocket({ host: HOST, port }, headerOf())
    const client = new pg.Client({ host: 'localhost', user: 'someone', ssl, stream })
    await client.connect()
    await client.end()
    assert.deepEqual(seen, [CLIENT.address])
  })
}

/** The log of ftp-srv, which would be on stdout. */
const quiet: object = new Proxy({}, { get: () => () => quiet })

for (const secure of [false, true]) {
  test(`ftp-srv sees the client of a control connection ${secure ? 'with AUTH TLS' : 'in clear'}`, async t => {
    const seen: unknown[] = []
    const ftp = new FtpSrv({ anonymous: true, tls: { key, cert }, log: quiet })
    ftp.on('login', ({ connection }: { connection: FtpConnection }, accept: (options: object) => void) => {
      seen.push(connection.ip, connection.secure)
      accept({ root: import.meta.dirname })
    })
    const { server } = ftp as unknown as { server: Server } // its types leave it out
    const port = await listen(t, server)
    const client = new FtpClient()
    t.after(() => client.close())
    const secureOptions = { ca: certificate.cert, servername: 'localhost' }
    await client.access({ host: HOST, port: await relayTo(t, port), secure, secureOptions })
    assert.equal(await client.pwd(), '/')
    assert.deepEqual(seen, [CLIENT.address, secure])
  })
}

test('a SOCKS server sees the client, and may decide by its address', async t => {
  const seen: unknown[] = []
  const target = createServer(socket => socket.end('reached'))
  await once(target.listen(0, HOST), 'listening')
  t.after(() => target.close())
  const socks = socks5.createServer()
  socks.setRulesetValidator(({ socket }, accept) => {
    seen.push((socket as { remoteAddress?: string }).remoteAddress)
    accept()
  })
  const port = await listen(
    t,
    createServer(socket => void socks._handleConnection(socket)),
  )
  const { socket } = await SocksClient.createConnection({
    proxy: { host: HOST, port, type: 5 },
    command: 'connect',
    destination: { host: HOST, port: (target.address() as { port: number }).port },
    existing_socket: openSocket({ host: HOST, port }, headerOf()),
  })
  assert.equal(await text(socket), 'reached')
  assert.deepEqual(seen, [CLIENT.address])
})
