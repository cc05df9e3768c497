// HeaderAgent and HeaderHttpsAgent: Node's own agents, whose connections speak for one client each.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import dns from 'node:dns'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer, text as textOf } from 'node:stream/consumers'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { pathToFileURL } from 'node:url'
import {
  HeaderAgent,
  HeaderHttpsAgent,
  type HeaderAgentOptions,
  type HeaderHttpsAgentOptions,
  type HeaderRequestOptions,
} from '../../../src/client/index.ts'
import { tlvType, type HeaderInit, type InetInit } from '../../../src/codec/index.ts'
import { connectionInfo } from '../../../src/server/index.ts'
import { listenAttached, type AttachedServer } from '../../support/attached.ts'
import { certificate } from '../../support/certificate.ts'
import { DESTINATION, SOURCE } from '../../support/headers.ts'
import { closedPort, turns, until } from '../../support/sockets.ts'
import { createHarness, type Harness } from '../../support/harness.ts'
import { untyped } from '../../support/untyped.ts'

const HOST = '127.0.0.1'
const TRUSTED = { ca: certificate.cert }

/** The header of a client of its own. */
function client(n: number): InetInit {
  return { source: { address: '192.0.2.1', port: n }, destination: DESTINATION }
}

interface Kind {
  readonly module: typeof http | typeof https
  readonly listen: (onRequest: http.RequestListener) => Server
  readonly agent: (options?: HeaderAgentOptions) => HeaderAgent | HeaderHttpsAgent
  /** Agents whose pool has Node's own key, without the header. */
  readonly unkeyed: (options?: HeaderAgentOptions) => HeaderAgent | HeaderHttpsAgent
}

class UnkeyedAgent extends HeaderAgent {
  override getName(options?: HeaderRequestOptions): string {
    return new http.Agent().getName(untyped(options))
  }
}

class UnkeyedHttpsAgent extends HeaderHttpsAgent {
  override getName(options?: HeaderRequestOptions): string {
    return new https.Agent().getName(options)
  }
}

const kinds: Readonly<Record<string, Kind>> = {
  HeaderAgent: {
    module: http,
    listen: onRequest => http.createServer(onRequest),
    agent: options => new HeaderAgent(options),
    unkeyed: options => new UnkeyedAgent(options),
  },
  HeaderHttpsAgent: {
    module: https,
    listen: onRequest => https.createServer(certificate, onRequest),
    agent: options => new HeaderHttpsAgent({ ...TRUSTED, ...options }),
    unkeyed: options => new UnkeyedHttpsAgent({ ...TRUSTED, ...options }),
  },
}

/** Answers with the client's port, as the server's own code sees it. */
function tellClient({ socket }: IncomingMessage, response: http.ServerResponse): void {
  response.end(`${socket.remoteAddress}:${socket.remotePort}`)
}

interface Reply {
  readonly text: string
  readonly request: ClientRequest
  readonly socket: Socket
}

for (const [name, { module, listen, agent: make, unkeyed }] of Object.entries(kinds)) {
  /** A server that tells each client who it is, an agent, and a way to ask. */
  async function start(
    harness: Harness,
    options: {
      readonly agent?: HeaderAgent | HeaderHttpsAgent
      readonly onRequest?: http.RequestListener
    } = {},
  ): Promise<{
    readonly agent: HeaderAgent | HeaderHttpsAgent
    readonly server: AttachedServer
    readonly ask: (header?: HeaderInit, more?: HeaderRequestOptions) => Promise<Reply>
  }> {
    const { agent = make(), onRequest = tellClient } = options
    const server = await listenAttached(harness, listen(onRequest))
    harness.defer(() => agent.destroy())
    const ask = async (header?: HeaderInit, more: HeaderRequestOptions = {}): Promise<Reply> => {
      const where: HeaderRequestOptions = { agent, host: HOST, port: server.port, header, ...more }
      const request = module.get(where)
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      const { socket } = response
      const text = await textOf(response)
      await turns() // the connection goes back to the pool
      return { text, request, socket }
    }
    return { agent, server, ask }
  }

  test(`${name}: the server sees the client of each request`, async t => {
    const { ask } = await start(createHarness(t))
    for (const port of [1, 2]) assert.equal((await ask(client(port))).text, `192.0.2.1:${port}`)
    assert.equal((await ask({ ...client(3), version: 1 })).text, '192.0.2.1:3')
  })

  test(`${name}: requests of one client share a kept connection`, async t => {
    const { server, ask } = await start(createHarness(t))
    assert.equal((await ask(client(1))).request.reusedSocket, false)
    const { text, request } = await ask(client(1))
    assert.deepEqual([text, request.reusedSocket, server.sockets.length], ['192.0.2.1:1', true, 1])
  })

  test(`${name}: two clients never share a connection, as they do where the pool's key lacks the header`, async t => {
    const harness = createHarness(t)
    const served = async (agent: HeaderAgent | HeaderHttpsAgent): Promise<string[]> => {
      const { ask } = await start(harness, { agent })
      const answers: string[] = []
      for (const port of [1, 2, 1]) answers.push((await ask(client(port))).text)
      return answers
    }
    assert.deepEqual(await served(unkeyed()), ['192.0.2.1:1', '192.0.2.1:1', '192.0.2.1:1'])
    assert.deepEqual(await served(make()), ['192.0.2.1:1', '192.0.2.1:2', '192.0.2.1:1'])
  })

  test(`${name}: headers that differ in anything have connections of their own`, async t => {
    const { server, ask } = await start(createHarness(t))
    const tlvs = [{ type: tlvType.noop, value: new Uint8Array() }]
    const destination = { ...DESTINATION, port: 1 }
    for (const header of [client(1), { ...client(1), tlvs }, { ...client(1), destination }, client(1)]) {
      await ask(header)
    }
    assert.equal(server.sockets.length, 3)
  })

  test(`${name}: many clients at a time are each served as themselves, within maxSockets`, async t => {
    const { server, ask } = await start(createHarness(t), { agent: make({ maxSockets: 2 }) })
    const asked = Array.from({ length: 60 }, (_, i) => 1 + (i % 12))
    const answers = await Promise.all(asked.map(port => ask(client(port))))
    assert.deepEqual(
      answers.map(({ text }) => text),
      asked.map(port => `192.0.2.1:${port}`),
    )
    assert.ok(server.sockets.length <= 24, `${server.sockets.length} connections for 12 clients`)
  })

  test(`${name}: maxFreeSockets bounds the connections that wait, of all clients together`, async t => {
    const agent = make({ maxFreeSockets: 3 })
    const { ask } = await start(createHarness(t), { agent })
    for (let port = 1; port <= 12; port++) await ask(client(port))
    const waiting = Object.values(agent.freeSockets).flat()
    assert.equal(waiting.length, 3)
    assert.equal((await ask(client(12))).request.reusedSocket, true, 'those that came last are kept')
    assert.equal((await ask(client(1))).request.reusedSocket, false)
  })

  test(`${name}: maxTotalSockets bounds the connections of all clients, also while they connect`, async t => {
    let open = 0
    let most = 0
    const onRequest: http.RequestListener = (request, response) => {
      most = Math.max(most, ++open)
      setImmediate(() => {
        open--
        tellClient(request, response)
      })
    }
    const agent = make({ maxTotalSockets: 3, keepAlive: false })
    const { ask } = await start(createHarness(t), { agent, onRequest })
    const asking = Array.from({ length: 12 }, (_, i) => ask(client(i + 1)))
    const sockets = Object.values(agent.sockets).reduce((sum, list) => sum + (list?.length ?? 0), 0)
    assert.equal(sockets, 3)
    await Promise.all(asking)
    assert.ok(most <= 3, `${most} at a time`)
  })

  test(`${name}: a header object that changes later moves no connection to another client`, async t => {
    const { ask } = await start(createHarness(t))
    const header: { -readonly [Key in keyof InetInit]: InetInit[Key] } = client(1)
    const first = ask(header)
    header.source = { address: '192.0.2.1', port: 2 }
    assert.equal((await first).text, '192.0.2.1:1')
    assert.equal((await ask(header)).text, '192.0.2.1:2')
    assert.equal((await ask(client(1))).request.reusedSocket, true)
  })

  test(`${name}: the agent's header is for requests without one of their own`, async t => {
    const agent = make({ header: client(7), checksum: true })
    const types: (number[] | undefined)[] = []
    const onRequest: http.RequestListener = (request, response) => {
      types.push(connectionInfo(request)?.header?.tlvs.map(({ type }) => type))
      tellClient(request, response)
    }
    const { ask } = await start(createHarness(t), { agent, onRequest })
    assert.equal((await ask()).text, '192.0.2.1:7')
    assert.equal((await ask(client(8))).text, '192.0.2.1:8')
    assert.equal((await ask()).request.reusedSocket, true)
    assert.deepEqual(types, [[tlvType.checksum], [tlvType.checksum], [tlvType.checksum]])
  })

  test(`${name}: a request without a header, or with one that cannot be sent, is refused before anything is opened`, t => {
    createHarness(t)
    const ask = (header?: unknown): unknown =>
      module.get(untyped({ agent: make(), host: HOST, port: 1, header }))
    assert.throws(() => ask(), {
      name: 'TypeError',
      message: 'header must be given with the request or to the agent, got none',
    })
    assert.throws(() => ask({ accept: '*/*' }), TypeError)
    assert.throws(() => make().getName(), TypeError)
    assert.throws(() => make({ header: { ...client(1), version: 1 }, checksum: true }), TypeError)
    assert.throws(() => make(untyped({ proxyEnv: {} })), /^TypeError: proxyEnv cannot be used/)
  })

  test(`${name}: a refused connection is the request's error, as with Node's agent, and the next in line goes on`, async t => {
    createHarness(t)
    const agent = make({ maxTotalSockets: 1 })
    const port = await closedPort()
    const failures = [1, 2, 3].map(async n => {
      const options: HeaderRequestOptions = { agent, host: HOST, port, header: client(n) }
      const [error] = (await once(module.get(options), 'error')) as [NodeJS.ErrnoException]
      return error.code
    })
    assert.deepEqual(await Promise.all(failures), ['ECONNREFUSED', 'ECONNREFUSED', 'ECONNREFUSED'])
    agent.destroy()
  })

  test(`${name}: a request that is given up before it is connected leaves no connection`, async t => {
    const { agent, server } = await start(createHarness(t))
    const options: HeaderRequestOptions = { agent, host: HOST, port: server.port, header: client(1) }
    const request = module.get(options)
    request.destroy()
    await assert.rejects(once(request, 'close'), { code: 'ECONNRESET' }) // as Node calls its own hang-up
    await until(() => Object.keys(agent.sockets).length === 0)
  })

  test(`${name}: every address of a name is tried`, async t => {
    const { server, ask } = await start(createHarness(t))
    const answer = ['127.0.0.2', '127.0.0.3', HOST].map(address => ({ address, family: 4 }))
    t.mock.method(dns, 'lookup', (_name: string, _options: unknown, done: (...args: unknown[]) => void) => {
      process.nextTick(done, null, answer)
    })
    assert.equal((await ask(client(1), { host: 'localhost' })).text, '192.0.2.1:1')
    assert.equal(server.sockets.length, 1)
  })

  test(`${name}: bodies pass both ways, with back-pressure`, async t => {
    const harness = createHarness(t)
    const onRequest: http.RequestListener = (request, response) => void request.pipe(response)
    const { agent, server } = await start(harness, { onRequest })
    const body = Buffer.alloc(4 << 20, 'proxy')
    const options: HeaderRequestOptions = {
      agent,
      host: HOST,
      port: server.port,
      header: client(1),
      method: 'POST',
    }
    const request = module.request(options)
    request.end(body)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    await turns(50) // unread, until everything on the way is full
    assert.ok((await buffer(response)).equals(body))
  })

  test(`${name}: a connection that the server drops before it answers is the request's error`, async t => {
    const { ask } = await start(createHarness(t), { onRequest: ({ socket }) => socket.destroy() })
    await assert.rejects(ask(client(1)), { code: 'ECONNRESET' })
  })

  test(`${name}: a connection that the server has closed is not used again`, async t => {
    const { server, ask } = await start(createHarness(t))
    const { socket } = await ask(client(1))
    for (const raw of server.sockets) raw.end()
    await until(() => socket.destroyed)
    assert.equal((await ask(client(1))).request.reusedSocket, false)
  })

  test(`${name}: a UNIX socket is reached by socketPath`, async t => {
    const harness = createHarness(t)
    const folder = mkdtempSync(join(tmpdir(), 'proxyprotocol-'))
    harness.defer(() => {
      rmSync(folder, { recursive: true })
    })
    const socketPath = join(folder, 'socket')
    const agent = make()
    harness.defer(() => agent.destroy())
    await listenAttached(harness, listen(tellClient), { at: socketPath })
    const options: HeaderRequestOptions = { agent, socketPath, host: 'localhost', header: client(1) }
    const [response] = (await once(module.get(options), 'response')) as [IncomingMessage]
    assert.equal(await textOf(response), '192.0.2.1:1')
  })

  test(`${name}: a connection that waits for a request keeps no process alive`, async t => {
    const harness = createHarness(t)
    const { server } = await start(harness)
    const client = pathToFileURL(join(import.meta.dirname, '../../../src/client/index.ts')).href
    const script = `
      import http from 'node:http'
      import https from 'node:https'
      import { ${name} } from ${JSON.stringify(client)}
      const header = { source: ${JSON.stringify(SOURCE)}, destination: ${JSON.stringify(DESTINATION)} }
      const agent = new ${name}({ header, ca: ${JSON.stringify(certificate.cert)} })
      const { get } = ${name === 'HeaderAgent' ? 'http' : 'https'}
      const options = { agent, host: '${HOST}', port: ${server.port} }
      const ask = then => get(options, response => response.resume().on('close', () => setImmediate(then)))
      ask(() => ask(() => process.stdout.write('done')))`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script])
    child.stderr.pipe(process.stderr, { end: false })
    const exit = once(child, 'exit') as Promise<[number]>
    const [output, [code]] = await Promise.all([textOf(child.stdout), exit])
    assert.deepEqual([output, code, server.sockets.length], ['done', 0, 1])
  })
}

/** How often the last of three connections, for two clients in turn, resumed a session: for the second client, then for the first. */
async function resumed(harness: Harness, agent: HeaderHttpsAgent): Promise<unknown[]> {
  const server = await listenAttached(harness, https.createServer(certificate, tellClient))
  const reused: unknown[] = []
  for (const port of [1, 2, 1]) {
    const options: HeaderRequestOptions = { agent, host: HOST, port: server.port, header: client(port) }
    const [response] = (await once(https.get(options), 'response')) as [IncomingMessage]
    reused.push((response.socket as Partial<TLSSocket>).isSessionReused?.())
    await textOf(response)
    await turns()
  }
  return reused
}

test('HeaderHttpsAgent: a TLS session is resumed for its own client only, not as where the key lacks the header', async t => {
  const harness = createHarness(t)
  const options: HeaderHttpsAgentOptions = { ...TRUSTED, keepAlive: false }
  assert.deepEqual(await resumed(harness, new UnkeyedHttpsAgent(options)), [false, true, true])
  assert.deepEqual(await resumed(harness, new HeaderHttpsAgent(options)), [false, false, true])
})

test('HeaderHttpsAgent: the server is asked for by name, and its certificate is held against it', async t => {
  const harness = createHarness(t)
  const names: unknown[] = []
  const server = https.createServer(certificate, ({ socket }, response) => {
    names.push((socket as Partial<TLSSocket>).servername)
    response.end()
  })
  const { port } = await listenAttached(harness, server)
  const agent = new HeaderHttpsAgent({ ...TRUSTED, header: client(1) })
  harness.defer(() => agent.destroy())
  for (const host of ['localhost', HOST]) {
    const [response] = (await once(https.get({ agent, host, port, family: 4 }), 'response')) as [
      IncomingMessage,
    ]
    await textOf(response)
  }
  assert.deepEqual(names, ['localhost', false])
  const request = https.get({ agent, host: HOST, port, servername: 'example.org' })
  const [error] = (await once(request, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ERR_TLS_CERT_ALTNAME_INVALID')
})
