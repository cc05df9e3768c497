// Servers that a program does not hold, behind `node --import proxyprotocol/register`: Apollo's standalone server and that of
// gRPC. Each program prints its port when it listens.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { credentials } from '@grpc/grpc-js'
import { openSocket } from 'proxyprotocol/client'
import { askForPeer } from './grpc.ts'
import { CLIENT, headerOf, HOST } from './support.ts'

/** Starts a program under register, and gives its port. */
async function start(t: TestContext, program: string): Promise<number> {
  const args = [
    '--import',
    import.meta.resolve('proxyprotocol/register'),
    '--input-type=module',
    '--eval',
    program,
  ]
  const child = spawn(process.execPath, args, {
    cwd: import.meta.dirname,
    env: { ...process.env, PROXYPROTOCOL_TRUST: HOST, PROXYPROTOCOL_PORTS: 'all' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.after(() => child.kill())
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return Number(line)
}

test("register attaches to the server of Apollo's startStandaloneServer()", async t => {
  const port = await start(
    t,
    `
    import { ApolloServer } from '@apollo/server'
    import { startStandaloneServer } from '@apollo/server/standalone'
    const typeDefs = 'type Query { you: String }'
    const resolvers = { Query: { you: (_root, _args, { address }) => address } }
    const { url } = await startStandaloneServer(new ApolloServer({ typeDefs, resolvers }), {
      listen: { port: 0, host: '127.0.0.1' },
      context: async ({ req }) => ({ address: req.socket.remoteAddress }),
    })
    console.log(new URL(url).port)`,
  )
  const request = http.request({
    method: 'POST',
    host: 'localhost',
    headers: { 'content-type': 'application/json' },
    createConnection: () => openSocket({ host: HOST, port }, headerOf()),
  })
  request.end('{ "query": "{ you }" }')
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  assert.deepEqual(JSON.parse(await text(response)), { data: { you: CLIENT.address } })
  request.destroy()
})

test('register attaches to the server of gRPC, which sees the client as the peer of a call', async t => {
  const port = await start(
    t,
    `
    import { Server, ServerCredentials } from '@grpc/grpc-js'
    const server = new Server()
    const asText = { serialize: text => Buffer.from(text), deserialize: String }
    server.addService({ you: {
      path: '/example.Who/You', requestStream: false, responseStream: false,
      requestSerialize: asText.serialize, requestDeserialize: asText.deserialize,
      responseSerialize: asText.serialize, responseDeserialize: asText.deserialize,
    } }, { you: (call, done) => done(null, call.getPeer()) })
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, port) => console.log(port))`,
  )
  const peer = await askForPeer(t, port, credentials.createInsecure())
  assert.equal(peer, `${CLIENT.address}:${CLIENT.port}`)
})
