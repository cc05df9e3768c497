// Servers with TLS of their own behind the header: gRPC by its injector of connections, and ldapjs.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import {
  Client,
  credentials,
  type handleUnaryCall,
  Server as GrpcServer,
  ServerCredentials,
} from '@grpc/grpc-js'
import { openSocket } from 'proxyprotocol/client'
import { certificate, CLIENT, headerOf, HOST, listen, relayTo } from './support.ts'

const ldap = createRequire(import.meta.url)('ldapjs') as {
  createServer(options: { certificate: string; key: string }): {
    readonly server: Server
    bind(name: string, handler: (request: { connection: Socket }, response: { end(): void }) => void): void
  }
}

/** A bind as cn=app without a password (RFC 4511 section 4.2). */
const BIND = Buffer.from('3012020101600d0201030406636e3d6170708000', 'hex')
const [cert, key] = [Buffer.from(certificate.cert), Buffer.from(certificate.key)]

test('gRPC with TLS sees the client on connections that are injected', async t => {
  const serialize = (text: string): Buffer => Buffer.from(text)
  const server = new GrpcServer()
  const method = { path: '/a.A/You', requestStream: false, responseStream: false } as const
  const texts = {
    requestSerialize: serialize,
    requestDeserialize: String,
    responseSerialize: serialize,
    responseDeserialize: String,
  }
  const you: handleUnaryCall<string, string> = (call, done) => done(null, call.getPeer())
  server.addService({ you: { ...method, ...texts } }, { you })
  const injector = server.createConnectionInjector(
    ServerCredentials.createSsl(null, [{ private_key: key, cert_chain: cert }]),
  )
  const port = await listen(
    t,
    createServer(socket => injector.injectConnection(socket)),
  )
  const client = new Client(`localhost:${await relayTo(t, port)}`, credentials.createSsl(cert))
  t.after(() => {
    client.close()
    injector.destroy()
  })
  const peer = await new Promise((resolve, reject) => {
    client.makeUnaryRequest('/a.A/You', serialize, String, 'who?', (error, answer) => {
      if (error) reject(error)
      else resolve(answer)
    })
  })
  assert.equal(peer, `${CLIENT.address}:${CLIENT.port}`)
})

test('ldapjs with TLS sees the client', async t => {
  const server = ldap.createServer({ certificate: certificate.cert, key: certificate.key })
  const addresses: unknown[] = []
  server.bind('cn=app', ({ connection }, response) => {
    addresses.push(connection.remoteAddress)
    response.end()
  })
  const port = await listen(t, server.server)
  const client = openSocket({ host: HOST, port, tls: { ca: certificate.cert } }, headerOf())
  client.write(BIND)
  await once(client, 'data')
  assert.deepEqual(addresses, [CLIENT.address])
  client.destroy()
})
