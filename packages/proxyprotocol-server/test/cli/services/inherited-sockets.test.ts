// Sockets that a service manager opens and passes on: whose they are, and the program with real ones.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { createServer as createProxyServer } from 'proxyprotocol/server'
import { content } from 'test-support/sockets'
import { temporaryFolder } from 'test-support/folder'
import {
  assignSockets,
  inheritedBy,
  inheritedSockets,
  type InheritedSocket,
} from '../../../src/cli/services/inherited-sockets.ts'
import { RunningConfiguration } from '../../../src/cli/services/running-configuration.ts'
import { ConfigError, parseConfig, parseService } from '../../../src/config/index.ts'
import { createRelay } from '../../../src/relay/index.ts'
import { pathOf, runCommand, type Child } from '../../support/child.ts'
import { configFile } from '../../support/config-file.ts'
import { fakeIo } from '../../support/program.ts'
import { chunk, dial, listen } from '../../support/connections.ts'
import { atEnd } from '../../support/teardown.ts'

const PROGRAM = 'packages/proxyprotocol-server/bin/proxyprotocol-server.js'

/** A listening socket, and its descriptor. */
async function listening(
  t: TestContext,
  where: number | string = 0,
): Promise<{ server: Server; fd: number; port: number }> {
  const server =
    typeof where === 'string' ? createServer().listen(where) : createServer().listen(where, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => server.close())
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle // spawn() wants the number
  return { server, fd, port: (server.address() as AddressInfo).port }
}

/** The program, as systemd would start it with these descriptors. */
function activated(
  t: TestContext,
  fds: readonly number[],
  { args, names }: { args: string; names?: string },
): Child {
  const script = `LISTEN_PID=$$ exec '${process.execPath}' '${pathOf(PROGRAM)}' ${args}`
  const variables = { LISTEN_FDS: String(fds.length), ...(names !== undefined && { LISTEN_FDNAMES: names }) }
  return runCommand(t, ['sh', '-c', script], variables, fds)
}

test('a socket that was passed is listened at by the service of its address, and a connection that waits in it is served', async t => {
  const upstream = await listen(t)
  const { server, fd, port } = await listening(t)
  const child = activated(t, [fd], {
    args: `--service 127.0.0.1:${port} '127.0.0.1:${upstream.port}?pp=noop'`,
  })
  const line = await child.line(/ listening /)
  assert.ok(line.includes(` address=127.0.0.1:${port} `))
  server.close() // the parent's copy; the program has its own
  const client = dial(t, port)
  client.write('hello')
  assert.equal(String(await chunk(await upstream.accept())), 'hello')
  client.resetAndDestroy()
  await child.line(/ closed /)
  child.send('SIGTERM')
  const { code, errors } = await child.ended
  assert.deepEqual([code, errors], [0, ''])
})

test('workers share a socket that was passed, also with those that come later, until its service is gone', async t => {
  const upstream = await listen(t)
  const { server, fd, port } = await listening(t)
  const service = { name: 'a', listen: `127.0.0.1:${port}`, upstream: `127.0.0.1:${upstream.port}?pp=noop` }
  const file = configFile(t, { services: [service] })
  const child = activated(t, [fd], { args: `--workers 2 --config ${file}` })
  const second = await child.line(/ worker-started worker=2 /)
  server.close() // the parent's copy; the program has its own
  async function serves(): Promise<void> {
    const client = dial(t, port)
    client.write('hello')
    assert.equal(String(await chunk(await upstream.accept())), 'hello')
    client.resetAndDestroy()
  }
  await serves()
  writeFileSync(file, JSON.stringify({ services: [{ ...service, name: 'b' }] })) // the same address: the same socket
  child.send('SIGHUP')
  await child.line(/ reloaded added=0 changed=1 /)
  process.kill(Number(/ pid=(\d+)$/.exec(second)?.[1]), 'SIGKILL')
  await child.until(() => child.output().match(/ worker-started worker=2 /g)?.length === 2)
  await serves()
  const elsewhere = { ...service, name: 'c', listen: '127.0.0.1:0' }
  writeFileSync(file, JSON.stringify({ services: [elsewhere] }))
  child.send('SIGHUP')
  await child.line(/ reloaded added=1 changed=0 removed=1 /)
  await refused(port)
  child.send('SIGTERM')
  assert.equal((await child.ended).code, 0)
})

test('two programs share a socket that was passed, and the end of the older one refuses and cuts no connection', async t => {
  const upstream = await listen(t)
  const { server, fd, port } = await listening(t)
  const args = `--service 127.0.0.1:${port} '127.0.0.1:${upstream.port}?pp=noop'`
  const [older, newer] = [activated(t, [fd], { args }), activated(t, [fd], { args })]
  await Promise.all([older.line(/ listening /), newer.line(/ listening /)])
  server.close() // the parent's copy; each program has its own
  async function connected(): Promise<readonly [client: Socket, far: Socket]> {
    const client = dial(t, port)
    client.write('hello')
    const far = await upstream.accept()
    assert.equal(String(await chunk(far)), 'hello')
    return [client, far]
  }
  const pairs: (readonly [client: Socket, far: Socket])[] = []
  while (pairs.length < 8) pairs.push(await connected())
  older.send('SIGTERM')
  await older.line(/ draining /)
  while (pairs.length < 16) pairs.push(await connected())
  for (const [client, far] of pairs) {
    far.write('back')
    assert.equal(String(await chunk(client)), 'back')
    client.resetAndDestroy()
  }
  newer.send('SIGTERM')
  for (const child of [older, newer])
    assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
})

/** Resolves when nothing listens at the port. */
async function refused(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
    } catch {
      return
    } finally {
      socket.destroy()
    }
  }
}

test('a socket that belongs to no service ends the program with 2, and is named', async t => {
  const upstream = await listen(t)
  const passed = await listening(t)
  const args = `--service 127.0.0.1:0 '127.0.0.1:${upstream.port}?pp=noop' --service 127.0.0.1:0 127.0.0.1:1`
  const child = activated(t, [passed.fd], { args, names: '127.0.0.1' })
  const { code, errors } = await child.ended
  assert.equal(code, 2)
  assert.equal(
    errors,
    'error: no service is at, or has the name of, what the service manager has opened: ' +
      `descriptor 3 "127.0.0.1" at 127.0.0.1:${passed.port}\n`,
  )
})

test('LISTEN_FDS that names no socket ends the program with 2', async t => {
  const child = activated(t, [], { args: '--service 127.0.0.1:0 127.0.0.1:1' })
  await child.line(/ listening /)
  child.send('SIGTERM')
  assert.equal((await child.ended).code, 0)
  const script = `LISTEN_FDS=1 LISTEN_PID=$$ exec '${process.execPath}' '${pathOf(PROGRAM)}' --service :0 :1 3</dev/null`
  const { code, errors } = await runCommand(t, ['sh', '-c', script]).ended
  assert.equal(code, 2)
  assert.match(errors, /^error: LISTEN_FDS names descriptor 3, which is not a socket: /)
})

/** A handle that another process has made listen, as it comes from there. */
async function foreignHandle(
  t: TestContext,
  where = '0, "127.0.0.1"',
): Promise<{ fd: number; port: number }> {
  const script = `const s = require('net').createServer().listen(${where}, () => process.send(s.address().port ?? 0, s._handle))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const [port, handle] = (await once(child, 'message')) as [number, { fd: number; close(): void }]
  atEnd(t, () => {
    handle.close()
  })
  child.kill('SIGKILL') // it would accept as well
  await once(child, 'exit')
  return { fd: handle.fd, port }
}

test('inheritedSockets() finds the address of a socket without touching it', async t => {
  const { fd, port } = await foreignHandle(t)
  const env = { LISTEN_PID: String(process.pid), LISTEN_FDS: '1', LISTEN_FDNAMES: 'a' }
  const [socket] = inheritedSockets(env, { first: fd })
  assert.deepEqual(socket, { fd, name: 'a', address: { address: '127.0.0.1', port } })
})

test('a UNIX socket has no address to be found by, and is listened at like any other', async t => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'socket')
  const { fd } = await foreignHandle(t, JSON.stringify(path))
  const env = { LISTEN_PID: String(process.pid), LISTEN_FDS: '1' }
  assert.deepEqual(inheritedSockets(env, { first: fd }), [{ fd, name: undefined, address: undefined }])
  const server = createProxyServer({ version: 'none' }, ({ socket }) => void socket.end('hello'))
  atEnd(t, () => server.abort())
  await server.listen({ fd })
  assert.equal(String(await content(connect({ path }))), 'hello')
})

test('a socket that was passed is listened at by its service, and kept over a reload', async t => {
  const { fd, port } = await foreignHandle(t)
  const service = { name: 'a', listen: '127.0.0.1:0', upstream: '127.0.0.1:1' }
  let configuration = parseConfig({ services: [service] })
  const io = fakeIo()
  const running = new RunningConfiguration(io, {
    first: configuration,
    create: each => createRelay(each),
    sockets: new Map([['a', { fd, name: 'a', address: { address: '127.0.0.1', port } }]]),
    describe: () => [],
  })
  atEnd(t, () => running.fleet.abort())
  await running.start()
  assert.match(await io.line(/ listening /), new RegExp(` address=127\\.0\\.0\\.1:${port}\n$`))
  configuration = parseConfig({ services: [{ ...service, timeouts: { idle: 1_000 } }] })
  await running.change(configuration)
  assert.match(await io.line(/ changed /), new RegExp(` address=127\\.0\\.0\\.1:${port}\n$`))
})

test('variables for another process, and none at all, pass nothing', () => {
  assert.deepEqual(inheritedSockets({}), [])
  assert.deepEqual(inheritedSockets({ LISTEN_PID: '1', LISTEN_FDS: '1' }, { pid: 2 }), [])
  assert.deepEqual(inheritedSockets({ LISTEN_PID: '2', LISTEN_FDS: '0' }, { pid: 2 }), [])
})

test('variables that are wrong are refused', () => {
  const LISTEN_PID = '2'
  for (const LISTEN_FDS of ['x', '-1', '', '1001']) {
    assert.throws(() => inheritedSockets({ LISTEN_PID, LISTEN_FDS }, { pid: 2 }), {
      name: 'ConfigError',
      message: `LISTEN_FDS must be a number of descriptors, got ${JSON.stringify(LISTEN_FDS)}`,
    })
  }
  assert.throws(() => inheritedSockets({ LISTEN_PID, LISTEN_FDS: '2', LISTEN_FDNAMES: 'a' }, { pid: 2 }), {
    message: 'LISTEN_FDNAMES must have a name for each of 2, got "a"',
  })
})

test('a descriptor that is not a socket is refused', t => {
  const fd = openSync(import.meta.filename, 'r')
  t.after(() => {
    closeSync(fd)
  })
  const env = { LISTEN_PID: '2', LISTEN_FDS: '1' }
  assert.throws(() => inheritedSockets(env, { pid: 2, first: fd }), {
    name: 'ConfigError',
    message: new RegExp(`^LISTEN_FDS names descriptor ${fd}, which is not a socket: `),
  })
})

test('assignSockets() knows an address however it is written', () => {
  const at = (address: string, port = 80): InheritedSocket => ({
    fd: 3,
    name: undefined,
    address: { address, port },
  })
  const yes: [source: string, socket: InheritedSocket][] = [
    [':80', at('::')],
    [':80', at('0.0.0.0')],
    ['localhost:80', at('127.0.0.1')],
    ['localhost:80', at('::1')],
    ['192.0.2.1:80', at('192.0.2.1')],
    ['[2001:DB8:0::1]:80', at('2001:db8::1')],
  ]
  for (const [source, socket] of yes) {
    const service = parseService(source, '192.0.2.9:1')
    assert.equal(assignSockets([socket], [service]).get(service.name), socket, source)
  }
  const no: [source: string, socket: InheritedSocket][] = [
    [':80', at('127.0.0.1')],
    [':81', at('::')],
    ['example.org:80', at('192.0.2.1')],
    ['192.0.2.1:80', at('192.0.2.2')],
    ['localhost:80', at('::')],
    ['unix:/run/app.sock', at('::')],
    ['192.0.2.1:80', { fd: 3, name: 'x', address: undefined }],
  ]
  for (const [source, socket] of no) {
    assert.throws(() => assignSockets([socket], [parseService(source, '192.0.2.9:1')]), ConfigError, source)
  }
})

test('assignSockets() gives a service one socket, the one of its name first', () => {
  const services = ['a', 'b'].map(name => parseService(':80', '192.0.2.9:1', { name }))
  const address = { address: '::', port: 80 }
  const [one, two] = [3, 4].map(fd => ({ fd, name: 'b', address }))
  assert.deepEqual(
    [
      ...assignSockets(
        [one, two].flatMap(each => each ?? []),
        services,
      ),
    ],
    [
      ['b', one],
      ['a', two],
    ],
  )
  const third = { fd: 5, name: 'b', address: undefined }
  assert.throws(
    () =>
      assignSockets(
        [one, two, third].flatMap(each => each ?? []),
        services,
      ),
    {
      message: 'no service is at, or has the name of, what the service manager has opened: descriptor 5 "b"',
    },
  )
})

test('inheritedBy() gives a socket to the service that listens where its owner did, and forgets one whose address is gone', () => {
  const socket = { fd: 3, name: 'a', address: { address: '::', port: 80 } }
  const [a, b] = [':80', ':81'].map(source => parseService(source, '192.0.2.9:1', { name: source.slice(1) }))
  const before = [a ?? assert.fail(), b ?? assert.fail()]
  const renamed = parseService('ssl://:80?cert=cert.pem', '192.0.2.9:1', { name: 'renamed' })
  const sockets = new Map([['80', socket]])
  assert.deepEqual([...inheritedBy(sockets, before, before)], [['80', socket]])
  assert.deepEqual([...inheritedBy(sockets, before, [renamed])], [['renamed', socket]])
  assert.deepEqual([...inheritedBy(sockets, before, before.slice(1))], [])
})
