// Servers with TLS of their own behind the header: gRPC by its injector of connections, and ldapjs.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { credentials, type handleUnaryCall, Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js'
import { openSocket } from 'proxyprotocol/client'
import { askForPeer, toBytes } from './grpc.ts'
import { BIND, ldap } from './ldap.ts'
import { certificate, CLIENT, headerOf, HOST, listen } from './support.ts'

const [cert, key] = [Buffer.from(certificate.cert), Buffer.from(certificate.key)]

test('gRPC with TLS sees the client on connections that are injected', async t => {
  const server = new GrpcServer()
  const method = { path: '/example.Who/You', requestStream: false, responseStream: false } as const
  const texts = {
    requestSerialize: toBytes,
    requestDeserialize: String,
    responseSerialize: toBytes,
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
  t.after(() => injector.destroy())
  const peer = await askForPeer(t, port, credentials.createSsl(cert))
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
