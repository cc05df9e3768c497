// HeaderAgent and HeaderHttpsAgent are Node's own agents: addresses, bodies, errors and ends.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import dns from 'node:dns'
import { once } from 'node:events'
import type http from 'node:http'
import { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { join } from 'node:path'
import { buffer, text as textOf } from 'node:stream/consumers'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { pathToFileURL } from 'node:url'
import { certificate } from 'test-support/certificates'
import { closedPort, turns, until } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { temporaryFolder } from 'test-support/folder'
import { HeaderAgent, HeaderHttpsAgent, type HeaderRequestOptions } from '../../../src/client/index.ts'
import { tlvType } from '../../../src/codec/index.ts'
import { connectionInfo } from '../../../src/server/index.ts'
import { listenAttached } from '../../support/attached.ts'
import { DESTINATION, SOURCE } from '../../support/headers.ts'
import { createHarness } from '../../support/harness.ts'
import { HOST, TRUSTED, client, kinds, tellClient, startAgent } from '../../support/agents.ts'

for (const [name, kind] of Object.entries(kinds)) {
  const { agent: make, module, listen } = kind

  test(`${name}: the server sees the client of each request`, async t => {
    const { ask } = await startAgent(createHarness(t), kind)
    for (const port of [1, 2]) assert.equal((await ask(client(port))).text, `192.0.2.1:${port}`)
    assert.equal((await ask({ ...client(3), version: 1 })).text, '192.0.2.1:3')
  })

  test(`${name}: the agent's header is for requests without one of their own`, async t => {
    const agent = make({ header: client(7), checksum: true })
    const types: (number[] | undefined)[] = []
    const onRequest: http.RequestListener = (request, response) => {
      types.push(connectionInfo(request)?.header?.tlvs.map(({ type }) => type))
      tellClient(request, response)
    }
    const { ask } = await startAgent(createHarness(t), kind, { agent, onRequest })
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
      message: 'header must be given with the request, to withHeader() or to the agent, got none',
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
    const { agent, server } = await startAgent(createHarness(t), kind)
    const options: HeaderRequestOptions = { agent, host: HOST, port: server.port, header: client(1) }
    const request = module.get(options)
    request.destroy()
    await assert.rejects(once(request, 'close'), { code: 'ECONNRESET' }) // as Node calls its own hang-up
    await until(() => Object.keys(agent.sockets).length === 0)
  })

  test(`${name}: every address of a name is tried`, async t => {
    const { server, ask } = await startAgent(createHarness(t), kind)
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
    const { agent, server } = await startAgent(harness, kind, { onRequest })
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
    const { ask } = await startAgent(createHarness(t), kind, { onRequest: ({ socket }) => socket.destroy() })
    await assert.rejects(ask(client(1)), { code: 'ECONNRESET' })
  })

  test(`${name}: a connection that the server has closed is not used again`, async t => {
    const { server, ask } = await startAgent(createHarness(t), kind)
    const { socket } = await ask(client(1))
    for (const raw of server.sockets) raw.end()
    await until(() => socket.destroyed)
    assert.equal((await ask(client(1))).request.reusedSocket, false)
  })

  test(`${name}: a UNIX socket is reached by socketPath`, async t => {
    const harness = createHarness(t)
    const folder = temporaryFolder(t)
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
    const { server } = await startAgent(harness, kind)
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

test('agents keep connections alive unless keepAlive is false', () => {
  for (const HeaderAgentOf of [HeaderAgent, HeaderHttpsAgent]) {
    const kept = [{}, { keepAlive: undefined }, { keepAlive: false }].map(options => {
      const agent: { options: { keepAlive?: boolean | undefined } } = untyped(
        new HeaderAgentOf(untyped(options)),
      )
      return agent.options.keepAlive
    })
    assert.deepEqual(kept, [true, true, false])
  }
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
