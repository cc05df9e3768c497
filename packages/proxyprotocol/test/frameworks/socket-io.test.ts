// Socket.IO behind attach(): `handshake.address`, over polling, over WebSocket, and after the upgrade from one to the
// other.

import assert from 'node:assert/strict'
import http from 'node:http'
import https from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import tls from 'node:tls'
import { Server } from 'socket.io'
import { io, type Socket as Client } from 'socket.io-client'
import { certificate } from 'test-support/certificates'
import { turns, until } from 'test-support/sockets'
import { attach } from '../../src/server/index.ts'
import { clientOf, peerOf, trusted, type Running } from '../support/framework.ts'
import { V1, V2 } from '../support/headers.ts'
import { createHarness } from '../support/harness.ts'

const SEEN = ['192.0.2.1', '192.0.2.1', '192.0.2.1:56324', '127.0.0.1']

/** Starts Socket.IO; it tells each client what it sees of it when asked, and its transport. */
async function start(kind: 'http' | 'https'): Promise<Running> {
  const server = attach(kind === 'https' ? https.createServer(certificate) : http.createServer(), trusted)
  const sockets = new Server(server, { serveClient: false })
  sockets.on('connection', socket => {
    socket.on('who', (reply: (seen: readonly unknown[]) => void) => {
      const { handshake, conn, request } = socket
      reply([handshake.address, conn.remoteAddress, clientOf(request), peerOf(request)])
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      await until(() => sockets.engine.clientsCount === 0)
      await sockets.close()
    },
  }
}

/** Every connection of this agent starts with the header, as the load balancer's do. */
function agentWith(header: Uint8Array, kind: 'http' | 'https'): http.Agent {
  const agent = kind === 'https' ? new https.Agent() : new http.Agent()
  agent.createConnection = ({ port }: http.ClientRequestArgs): Socket => {
    const raw = connect(Number(port), '127.0.0.1')
    raw.write(header)
    return kind === 'https' ? tls.connect({ socket: raw, rejectUnauthorized: false }) : raw
  }
  return agent
}

function timers(): number {
  return process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
}

interface Behind {
  readonly kind: 'http' | 'https'
  readonly header: Uint8Array
  readonly transports: string[]
}

async function dial(t: TestContext, { kind, header, transports }: Behind): Promise<Client> {
  const harness = createHarness(t)
  const before = timers()
  const { port, close } = await start(kind)
  const agent = agentWith(header, kind)
  const options = { transports, reconnection: false, rejectUnauthorized: false, forceNew: true }
  const client = io(`${kind}://127.0.0.1:${port}`, { ...options, agent: agent as never })
  harness.defer(async () => {
    client.close()
    await close()
    agent.destroy()
    await until(() => Object.keys(agent.sockets).length === 0)
    await turns()
    await until(() => timers() <= before) // the polling client tells of its last request in timers of 0 ms
  })
  await new Promise<void>((resolve, reject) => {
    client.on('connect', resolve)
    client.on('connect_error', reject)
  })
  return client
}

for (const kind of ['http', 'https'] as const) {
  for (const [version, header] of Object.entries({ v1: V1, v2: V2 })) {
    for (const transport of ['polling', 'websocket']) {
      test(`attach() on socket.io, ${kind} server, ${transport}, ${version}: the handshake's client is the header's`, async t => {
        const client = await dial(t, { kind, header, transports: [transport] })
        assert.deepEqual(await client.emitWithAck('who'), SEEN)
        assert.equal(client.io.engine.transport.name, transport)
      })
    }
  }
}

test('attach() on socket.io: the client stays the same through the upgrade from polling to WebSocket', async t => {
  const client = await dial(t, { kind: 'http', header: V2, transports: ['polling', 'websocket'] })
  const { engine } = client.io
  if (engine.transport.name === 'polling') {
    await new Promise(resolve => engine.once('upgrade', resolve))
  }
  assert.deepEqual(await client.emitWithAck('who'), SEEN)
  assert.equal(engine.transport.name, 'websocket')
})
