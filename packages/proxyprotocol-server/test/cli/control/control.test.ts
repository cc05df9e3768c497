// proxyprotocol-server ctl: what it asks of a running program, and changes in it.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { encodeHeader, type HeaderInit } from 'proxyprotocol'
import { content, until } from 'test-support/sockets'
import { temporaryFolder } from 'test-support/folder'
import { runServer } from '../../../src/cli/index.ts'
import { chunk, dial, outcome } from '../../support/connections.ts'
import { configFile } from '../../support/config-file.ts'
import { controlled, ctl, done, say, type Controlled } from '../../support/control.ts'
import { answering, peer } from '../../support/datagrams.ts'
import { fakeIo, start, type Running } from '../../support/program.ts'
import { atEnd } from '../../support/teardown.ts'
import { open, serve, startWorkers } from '../../support/workers.ts'

async function running(t: TestContext): Promise<Controlled & Running & { readonly port: number }> {
  const set = await controlled(t)
  const program = await start(t, runServer, ['--config', set.file], { listeners: 1 })
  await until(() => program.io.written.length > 0 && exists(set.path))
  return { ...set, ...program, port: program.ports[0] ?? 0 }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

test('the control socket is for the user of the program alone, and goes with the program', async t => {
  const { path, ...program } = await running(t)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const silent = connect(path)
  await once(silent, 'connect')
  assert.equal(await program.stop(), 0)
  await once(silent.resume(), 'close')
  assert.equal(exists(path), false)
})

test('ctl lists the clients that were turned away, and shows a path as printable text', async t => {
  const path = join(temporaryFolder(t), 'control.sock')
  const web = { name: 'web', listen: '127.0.0.1:0?pp=v2', trust: ['127.0.0.1'], upstream: '127.0.0.1:1' }
  const services = [
    { ...web, deny: ['unix'] },
    { ...web, name: 'other' },
  ]
  const file = configFile(t, { services, control: { socket: path } })
  const { io, ports } = await start(t, runServer, ['--config', file], { listeners: 2 })
  await until(() => exists(path))
  assert.equal((await ctl(path, 'refusals')).out, 'none\n')
  const header: HeaderInit = { source: { path: '/run/\u001b[2J' }, destination: { path: '/run/b' } }
  await outcome(dial(t, ports[0] ?? 0).end(encodeHeader(header)))
  await io.line(/ rejected /)
  const [{ time, peer, ...rest } = {}, ...others] = await done(path, 'refusals', 'web')
  assert.deepEqual(others, [])
  assert.match(`${String(time)} ${String(peer)}`, /^\d{4}-.*Z 127\.0\.0\.1:\d+$/)
  assert.deepEqual(rest, {
    ...{ service: 'web', source: '/run/\u001b[2J', reason: 'denied_acl' },
    advice: 'If this client may connect, change `allow` or `deny`.',
  })
  assert.match((await ctl(path, 'refusals')).out, / \/run\/\\u001b\[2J +denied_acl /)
  assert.deepEqual(await done(path, 'refusals', 'other'), [])
})

test('ctl lists services, upstreams and connections, as tables and as JSON', async t => {
  const { path, port, a, b } = await running(t)
  const open1 = await open(t, port)
  assert.equal(
    (await ctl(path, 'services')).out,
    'SERVICE  ADDRESS' +
      ' '.repeat(`127.0.0.1:${port}`.length - 7) +
      '  STATE      ACTIVE  ACCEPTED  UP\n' +
      `web      127.0.0.1:${port}  listening  1       1         2/2\n`,
  )
  assert.deepEqual(await done(path, 'upstreams', 'web'), [
    {
      service: 'web',
      upstream: 'a',
      route: '*',
      address: `127.0.0.1:${a.port}`,
      state: 'up',
      active: 1,
      total: 1,
      weight: 3,
    },
    {
      service: 'web',
      upstream: 'b',
      route: '*',
      address: `127.0.0.1:${b.port}`,
      state: 'up',
      active: 0,
      total: 0,
      weight: 1,
    },
  ])
  const [connection = {}] = await done(path, 'connections')
  const { id, age, ...rest } = connection
  assert.ok(typeof id === 'string' && typeof age === 'number')
  const source = `127.0.0.1:${open1.localPort}`
  const upstream = `127.0.0.1:${a.port}`
  assert.deepEqual(rest, { service: 'web', state: 'open', source, upstream, bytesUp: 5, bytesDown: 5 })
  open1.end()
  await content(open1)
  await until(() => a.sockets.size === 0)
  while ((await ctl(path, 'connections')).out !== 'none\n');
})

test('drain gives an upstream no new connections, undrain its weight again, and weight another one', async t => {
  const { path, port, a, b, io } = await running(t)
  const kept = await open(t, port)
  const [drained] = await done(path, 'drain', 'web', 'a')
  assert.deepEqual([drained?.['state'], drained?.['weight'], drained?.['fileWeight']], ['drained', 0, 3])
  assert.match((await ctl(path, 'upstreams')).out, /^web +b .* 1 +-\n/m)
  await serve(t, port, 8)
  assert.deepEqual([a.accepted, b.accepted], [1, 8])
  kept.write('still here')
  assert.equal(String(await chunk(kept)), 'still here')
  const [back] = await done(path, 'undrain', 'web', 'a')
  assert.deepEqual([back?.['state'], back?.['weight'], back?.['fileWeight']], ['up', 3, undefined])
  await done(path, 'weight', 'web', 'b', '0')
  await serve(t, port, 8)
  assert.deepEqual([a.accepted, b.accepted], [9, 8])
  await done(path, 'weight', 'web', 'b', '1')
  assert.equal(
    (await done(path, 'upstreams')).find(each => 'fileWeight' in each),
    undefined,
  )
  await io.line(/ weight service=web upstream=a weight=0\n$/)
  await io.line(/ weight service=web upstream=a weight=file\n$/)
})

test('a weight survives a reload while its upstream stays, and reload tells what it changed', async t => {
  const { path, file, configuration, b } = await running(t)
  await done(path, 'drain', 'web', 'a')
  await done(path, 'weight', 'web', 'b', '7')
  const counts = { added: 0, changed: 0, removed: 0, unchanged: 1 }
  assert.deepEqual(await done(path, 'reload'), counts)
  writeFileSync(file, JSON.stringify(configuration({ log: { quiet: true } })))
  assert.deepEqual(await done(path, 'reload'), counts)
  const weights = async (): Promise<unknown[]> => (await done(path, 'upstreams')).map(({ weight }) => weight)
  assert.deepEqual(await weights(), [0, 7])
  const upstreams = [
    { address: `127.0.0.1:${b.port}?pp=noop`, name: 'a' },
    { address: `127.0.0.1:${b.port}?pp=v1`, name: 'b' },
  ]
  writeFileSync(
    file,
    JSON.stringify(configuration({ services: [{ name: 'web', listen: '127.0.0.1:0', upstreams }] })),
  )
  await done(path, 'reload')
  assert.deepEqual(await weights(), [1, 7], 'another address is another upstream')
  assert.equal((await ctl(path, 'reload')).out, 'added=0 changed=0 removed=0 unchanged=1\n')
  writeFileSync(file, '{')
  const { code, errors } = await ctl(path, 'reload')
  assert.match(errors, /proxy\.json:1:2: /)
  assert.equal(code, 1)
})

test('close resets connections by id, by source and by upstream', async t => {
  const { path, port, a, b } = await running(t)
  const filters: ((connection: Readonly<Record<string, unknown>>) => readonly string[])[] = [
    ({ id }) => ['--id', String(id)],
    () => ['--source', '127.0.0.0/8'],
    ({ upstream }) => ['--upstream', String(upstream)],
    ({ id, upstream }) => ['--id', String(id), '--upstream', String(upstream), '--source', '127.0.0.1'],
  ]
  for (const filter of filters) {
    const socket = await open(t, port)
    const ended = outcome(socket)
    const [connection = {}] = await done(path, 'connections')
    for (const other of [
      ['--id', 'x'],
      ['--source', '10.0.0.0/8'],
      ['--upstream', '127.0.0.1:1'],
    ])
      assert.deepEqual(await done<object>(path, 'close', ...other), { closed: 0 })
    assert.deepEqual(await done<object>(path, 'close', ...filter(connection)), { closed: 1 })
    assert.equal((await ended).error, 'ECONNRESET')
    await until(() => a.sockets.size + b.sockets.size === 0)
  }
})

test('with workers a command holds in all of them, also in one that replaces another', async t => {
  const { path, file, a, b } = await controlled(t)
  const { child, port, pid } = await startWorkers(t, ['--config', file])
  await until(() => exists(path))
  await done(path, 'drain', 'web', 'a')
  await serve(t, port, 40)
  assert.equal(a.accepted, 0)
  process.kill(await pid(1), 'SIGKILL')
  await pid(1, 1)
  await serve(t, port, 40)
  assert.deepEqual([a.accepted, b.accepted], [0, 80])
  const sockets = await Promise.all(Array.from({ length: 8 }, () => open(t, port)))
  const ended = Promise.all(sockets.map(outcome))
  assert.deepEqual(await done<object>(path, 'close', '--source', '127.0.0.1'), { closed: 8 })
  assert.ok((await ended).every(({ error }) => error === 'ECONNRESET'))
  child.send('SIGTERM')
  assert.equal((await child.ended).code, 0)
})

test('what is refused ends ctl with 1 and the reason, and wrong arguments with 2', async t => {
  const { path, configuration, file } = await running(t)
  const services = [
    { name: 'web', listen: '127.0.0.1:0', upstreams: [{ address: '127.0.0.1:1', name: 'a', weight: 0 }] },
  ]
  const refused: [args: readonly string[], error: RegExp][] = [
    [['drain', 'wbe', 'a'], /^error: unknown service "wbe"; did you mean "web"\?\n$/],
    [['upstreams', 'nothing-like-it'], /^error: unknown service "nothing-like-it"; there are web\n$/],
    [['weight', 'web', 'zzz', '1'], /^error: unknown upstream "zzz"; there are a, b\n$/],
    [
      ['close', '--source', '10.0.0.1/33'],
      /^error: source must hold prefixes from 0 to 32, got "10\.0\.0\.1\/33"\n$/,
    ],
    [
      ['--socket', join(path, 'x'), 'services'],
      /^error: the control socket .*x does not answer: connect ENOTDIR /,
    ],
  ]
  for (const [args, error] of refused) {
    const { code, errors } = await ctl(path, ...args)
    assert.match(errors, error)
    assert.equal(code, 1)
  }
  for (const args of [
    ['close'],
    [],
    ['drain', 'web'],
    ['weight', 'web', 'a', '-1'],
    ['weight', 'web', 'a', '1.5'],
    ['weight', 'web', 'a', '1001'],
    ['dran'],
  ])
    assert.equal((await ctl(path, ...args)).code, 2, args.join(' '))
  for (const args of [
    ['ctl', 'services'],
    ['-q', 'ctl', 'services'],
  ]) {
    const io = fakeIo()
    assert.equal(await runServer(args, io), 2)
    assert.match(io.errors.join(''), /set PROXYPROTOCOL_CONTROL\n$|ctl must be the first argument\n$/)
  }
  writeFileSync(file, JSON.stringify(configuration({ services })))
  await done(path, 'reload')
  const { code, errors } = await ctl(path, 'undrain', 'web', 'a')
  assert.deepEqual([code, errors], [1, 'error: its weight in the file is 0: set another one with "weight"\n'])
})

test('bytes that are no request are refused, and take nothing from the program', async t => {
  const { path } = await running(t)
  for (const bytes of [
    '{}\n',
    'null\n',
    'x\n',
    '{"command":"weight","service":"web","upstream":"a","weight":-1}\n',
  ])
    assert.match(
      await say(path, bytes),
      /^\{"status":"refused","error":"the request must be one of this version/,
    )
  assert.match(
    await say(path, '{"command":"close"}\n'),
    /"close needs at least one of id, source and upstream"/,
  )
  for (const bytes of ['', 'no line', 'x'.repeat(70_000)]) assert.equal(await say(path, bytes), '')
  assert.equal((await ctl(path, 'services')).code, 0)
})

test('the socket of a killed program is replaced', async t => {
  const { path, configuration } = await controlled(t)
  const killed = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', killed])
  assert.ok(exists(path))
  await start(t, runServer, ['--config', configFile(t, configuration())], { listeners: 1 })
  while ((await ctl(path, 'services')).code !== 0);
})

test('a control socket that is in use ends the start', async t => {
  const { path } = await running(t)
  const io = fakeIo()
  assert.equal(await runServer(['--service', '127.0.0.1:0', '127.0.0.1:1', '--control', path], io), 1)
  assert.match(io.errors.join(''), /^error: control socket: .*EADDRINUSE/)
})

test('ctl says what is wrong with a socket that is none of a program', async t => {
  const path = join(temporaryFolder(t), 'silent.sock')
  const server = createServer(socket => socket.end()).listen(path)
  await once(server, 'listening')
  atEnd(t, () => server.close())
  const { code, errors } = await ctl(path, 'services')
  assert.match(errors, /does not answer: it closed the connection\n$/)
  assert.equal(code, 1)
})

test('a client that asks for nothing within five seconds is closed', async t => {
  const { path } = await running(t)
  const { setTimeout: set } = globalThis
  t.mock.method(globalThis, 'setTimeout', (callback: () => void, wait: number) => {
    if (wait === 5_000) setImmediate(callback)
    return set(callback, wait)
  })
  const socket = connect({ path })
  assert.equal(await text(socket), '')
})

test('a program that is ending refuses changes', async t => {
  const { path, port, io, ...program } = await running(t)
  const socket = await open(t, port)
  const ended = program.stop()
  await io.line(/ draining /)
  assert.match((await ctl(path, 'drain', 'web', 'a')).errors, /^error: the program is ending\n$/)
  socket.end()
  await content(socket)
  await ended
})

test('check shows the control socket, and refuses a path that no socket can have', async t => {
  const { file, path, configuration } = await controlled(t)
  const io = fakeIo()
  assert.equal(await runServer(['check', file], io), 0)
  assert.ok(io.written.join('').includes(`is operated through ${path}\n`))
  for (const socket of ['', 'x'.repeat(108)]) {
    writeFileSync(file, JSON.stringify(configuration({ control: { socket } })))
    assert.equal(await runServer(['check', file], io), 2)
    assert.match(io.errors.at(-1) ?? '', /control\.socket must be a path of at most 107 bytes/)
  }
})

test('the control socket stays as it is while the program runs', async t => {
  const { path, file, configuration } = await running(t)
  writeFileSync(file, JSON.stringify(configuration({ control: {} })))
  const { errors } = await ctl(path, 'reload')
  assert.match(
    errors,
    /^error: the control socket stays as it is while the program runs: restart it for another one\n$/,
  )
})

test('ctl lists flows of datagrams beside connections, and ends those of a source', async t => {
  const path = join(temporaryFolder(t), 'control.sock')
  const upstream = await answering(t)
  const dns = {
    name: 'dns',
    listen: 'udp://127.0.0.1:0',
    upstream: `udp://127.0.0.1:${upstream.port}?pp=noop`,
  }
  const file = configFile(t, { services: [dns], control: { socket: path } })
  const { ports } = await start(t, runServer, ['--config', file], { listeners: 1 })
  await until(() => exists(path))
  const client = await peer(t)
  await client.send('four', ports[0] ?? 0)
  await client.text()
  const [{ id, age, ...flow } = {}] = await done(path, 'connections', 'dns')
  assert.deepEqual([typeof id, typeof age], ['string', 'number'])
  assert.deepEqual(flow, {
    ...{ service: 'dns', state: 'open', source: `127.0.0.1:${client.port}` },
    ...{ upstream: `127.0.0.1:${upstream.port}`, bytesUp: 4, bytesDown: 4 },
  })
  const [{ active, accepted } = {}] = await done(path, 'services')
  assert.deepEqual([active, accepted], [1, 1])
  assert.equal((await ctl(path, 'close', '--source', '127.0.0.0/8')).out, 'closed=1\n')
  assert.deepEqual(await done(path, 'connections'), [])
})
