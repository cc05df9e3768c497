// UNIX sockets on both sides, and the files that they leave behind.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, lstatSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { parseHeader } from 'proxyprotocol'
import { createServer as createProxyServer } from 'proxyprotocol/server'
import { content } from 'test-support/sockets'
import { temporaryFolder } from 'test-support/folder'
import { parseAddress } from '../../src/config/index.ts'
import { listenAt } from '../../src/relay/index.ts'
import { runCommand } from '../support/child.ts'
import { startRelay } from '../support/relay.ts'
import { chunk, dial, listen } from '../support/connections.ts'
import { atEnd } from '../support/teardown.ts'

function dialPath(t: TestContext, path: string): Socket {
  const socket = connect({ path, allowHalfOpen: true })
  socket.on('error', () => {})
  atEnd(t, () => socket.destroy())
  return socket
}

/** A listener at a path without behaviour of its own. */
async function listenPath(t: TestContext, path: string): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {})
    atEnd(t, () => socket.destroy())
  }).listen(path)
  await once(server, 'listening')
  atEnd(t, async () => {
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  })
  return server
}

/** Leaves the file of a socket behind, as a program does that is killed. */
async function leaveSocket(t: TestContext, path: string): Promise<void> {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('listening'))`
  const child = runCommand(t, [process.execPath, '-e', script])
  await child.line(/listening/)
  child.send('SIGKILL')
  await child.ended
  assert.ok(lstatSync(path).isSocket())
}

const noClient = { version: 'none' } as const

test('a relay listens at a UNIX socket and connects to one: what it cannot name it announces as LOCAL', async t => {
  const at = temporaryFolder(t)
  const [source, dest] = [join(at, 'relay.sock'), join(at, 'app.sock')]
  const upstream = await listenPath(t, dest)
  const accepted = once(upstream, 'connection') as Promise<[Socket]>
  const relay = await startRelay(t, `unix:${dest}`, { source: `unix:${source}` })
  assert.equal(relay.server.address, source)
  const client = dialPath(t, source)
  client.write('hello')
  const [far] = await accepted
  const bytes = await chunk(far)
  assert.equal(bytes.subarray(-5).toString(), 'hello')
  assert.equal(parseHeader(bytes.subarray(0, -5)).command, 'LOCAL')
  client.end()
  assert.equal((await content(far)).length, 0)
  far.end('reply')
  assert.equal((await content(client)).toString(), 'reply')
  assert.equal((await relay.record()).reason, 'done')
  await relay.server.close()
  assert.equal(existsSync(source), false)
})

test('an upstream at a UNIX socket that closes after its reply has ended in order', async t => {
  const dest = join(temporaryFolder(t), 'app.sock')
  const upstream = await listenPath(t, dest)
  const relay = await startRelay(t, `unix:${dest}?pp=noop`)
  for (let i = 0; i < 4; i++) {
    const accepted = once(upstream, 'connection') as Promise<[Socket]>
    const client = dial(t, relay.port)
    const received = content(client)
    const [far] = await accepted
    far.write('reply', () => far.destroy())
    assert.equal((await received).toString(), 'reply')
    client.end()
    assert.equal((await relay.record(i)).reason, 'done')
  }
})

test('a UNIX socket takes its turn among other upstreams, and the record says its path', async t => {
  const at = temporaryFolder(t)
  const dest = join(at, 'app.sock')
  const upstream = await listenPath(t, dest)
  const relay = await startRelay(t, [`unix:${join(at, 'none.sock')}`, `unix:${dest}?pp=noop`])
  const accepted = once(upstream, 'connection') as Promise<[Socket]>
  const client = dial(t, relay.port)
  const [far] = await accepted
  far.write('reply')
  assert.equal((await chunk(client)).toString(), 'reply')
  const [open] = [...relay.connections()]
  assert.deepEqual(open?.upstream, { path: dest })
  client.end()
  far.resume().end()
  client.resume()
  const { upstream: name, upstreamAddress, attempts, reason } = await relay.record()
  assert.deepEqual(
    { name, upstreamAddress, attempts, reason },
    { name: `unix:${dest}`, upstreamAddress: { path: dest }, attempts: 2, reason: 'done' },
  )
  assert.deepEqual(
    relay.upstreams().upstreams.map(({ address }) => address),
    [`unix:${join(at, 'none.sock')}`, `unix:${dest}`],
  )
})

test('headers that come through a UNIX socket are believed where "unix" is trusted', async t => {
  const source = join(temporaryFolder(t), 'relay.sock')
  const upstream = await listen(t)
  await startRelay(t, `127.0.0.1:${upstream.port}?pp=v1`, { source: `unix:${source}?pp=v1`, trust: ['unix'] })
  dialPath(t, source).end('PROXY TCP4 192.0.2.1 198.51.100.7 9 80\r\nhello')
  const bytes = await content(await upstream.accept())
  assert.equal(bytes.toString(), 'PROXY TCP4 192.0.2.1 198.51.100.7 9 80\r\nhello')
})

test('a TCP client of a UNIX upstream is announced with its address', async t => {
  const dest = join(temporaryFolder(t), 'app.sock')
  const upstream = await listenPath(t, dest)
  const accepted = once(upstream, 'connection') as Promise<[Socket]>
  const relay = await startRelay(t, `unix:${dest}?pp=v1`)
  const client = dial(t, relay.port)
  const [far] = await accepted
  const line = `PROXY TCP4 127.0.0.1 127.0.0.1 ${String(client.localPort)} ${relay.port}\r\n`
  assert.equal((await chunk(far)).toString(), line)
})

test('an upstream socket that is not there, or has no listener, is a refused connection', async t => {
  const at = temporaryFolder(t)
  const stale = join(at, 'stale.sock')
  await leaveSocket(t, stale)
  const reasons: string[] = []
  for (const path of [join(at, 'none.sock'), stale]) {
    const relay = await startRelay(t, `unix:${path}`)
    dial(t, relay.port)
    reasons.push((await relay.record()).reason)
  }
  assert.deepEqual(reasons, ['connect_error', 'connect_refused'])
})

test('listenAt() takes the place of a socket without a listener', async t => {
  const path = join(temporaryFolder(t), 'relay.sock')
  await leaveSocket(t, path)
  const server = createProxyServer(noClient, () => {})
  atEnd(t, () => server.abort())
  assert.equal(await listenAt(server, { listen: parseAddress(`unix:${path}`, { role: 'listen' }) }), path)
  await once(dialPath(t, path), 'connect')
})

test('listenAt() leaves a socket with a listener, and any other file, and says that the address is in use', async t => {
  const at = temporaryFolder(t)
  const [inUse, file] = [join(at, 'in-use.sock'), join(at, 'file')]
  await listenPath(t, inUse)
  writeFileSync(file, 'precious')
  for (const path of [inUse, file]) {
    const server = createProxyServer(noClient, () => {})
    atEnd(t, () => server.abort())
    const address = parseAddress(`unix:${path}`, { role: 'listen' })
    await assert.rejects(listenAt(server, { listen: address }), { code: 'EADDRINUSE' })
    assert.ok(existsSync(path))
  }
  await once(dialPath(t, inUse), 'connect')
})

test('listenAt() passes on what else keeps an address from being bound', async t => {
  const { port } = await listen(t)
  const nowhere = join(temporaryFolder(t), 'none', 'relay.sock')
  for (const [text, code] of [
    [`127.0.0.1:${port}`, 'EADDRINUSE'],
    [`unix:${nowhere}`, 'EACCES'],
  ] as const) {
    const server = createProxyServer(noClient, () => {})
    atEnd(t, () => server.abort())
    await assert.rejects(listenAt(server, { listen: parseAddress(text, { role: 'listen' }) }), { code })
  }
})
