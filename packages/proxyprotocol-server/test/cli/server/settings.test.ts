// Each setting of the program, obeyed by a relay that runs: from a file, from flags and from the environment.

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { encodeHeader, parseHeader, tlv } from 'proxyprotocol'
import { closedPort, content, until } from 'test-support/sockets'
import { runServer } from '../../../src/cli/index.ts'
import { configFile } from '../../support/config-file.ts'
import { holdName } from '../../support/names.ts'
import { start } from '../../support/program.ts'
import { chunk, connectedSockets, dial, keepAliveCalls, listen, outcome } from '../../support/connections.ts'

const source = { address: '192.0.2.1', port: 9 }
const destination = { address: '192.0.2.2', port: 80 }

test('the services of a file relay as it says, beside those of the command line', async t => {
  const upstream = await listen(t)
  const dest = `127.0.0.1:${upstream.port}`
  const file = configFile(t, {
    services: [
      { name: 'first', listen: '127.0.0.1:0', upstream: `${dest}?pp=v1` },
      { name: 'second', listen: '127.0.0.1:0?pp=v2', upstream: dest, trust: ['127.0.0.1'], pass: ['netns'] },
    ],
  })
  const args = ['--config', file, '--service', '127.0.0.1:0', `${dest}?pp=noop`]
  const server = await start(t, runServer, args, { listeners: 3 })
  const received: Buffer[] = []
  for (const port of server.ports) {
    const client = dial(t, port)
    const tlvs = [tlv.authority('example.org'), tlv.netns('blue')]
    client.write(port === server.ports[1] ? encodeHeader({ source, destination, tlvs }) : 'hello')
    const far = await upstream.accept()
    received.push(await chunk(far))
    client.end()
    far.end()
    await outcome(client)
  }
  const [v1, v2, none] = received as [Buffer, Buffer, Buffer]
  assert.match(v1.toString(), /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\nhello$/)
  const header = parseHeader(v2)
  assert.ok('source' in header)
  assert.deepEqual(header.source, source)
  assert.deepEqual(
    header.tlvs.map(({ type }) => type),
    [0x05, 0x30],
  )
  assert.equal(none.toString(), 'hello')
  for (const name of ['first', 'second', '127.0.0.1:0'])
    await server.io.line(new RegExp(` closed .* service=${name} `))
})

test('--max-connections, --max-per-source and --over-limit bound what is accepted', async t => {
  const upstream = await listen(t)
  const service = ['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}`]
  for (const limit of ['--max-connections', '--max-per-source']) {
    const server = await start(t, runServer, [...service, limit, '1', '--over-limit', 'reset'])
    const [port = 0] = server.ports
    dial(t, port)
    await upstream.accept()
    const { fin, error } = await outcome(dial(t, port))
    assert.deepEqual({ fin, error }, { fin: false, error: 'ECONNRESET' }, limit)
    assert.equal(upstream.accepted, limit === '--max-connections' ? 1 : 2)
  }
})

test('PROXYPROTOCOL_OVER_LIMIT=pause lets connections wait, for as long as a header may take', async t => {
  const upstream = await listen(t)
  const service = ['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}?pp=noop`]
  const env = {
    PROXYPROTOCOL_OVER_LIMIT: 'pause',
    PROXYPROTOCOL_MAX_CONNECTIONS: '1',
    PROXYPROTOCOL_HEADER_TIMEOUT: '300',
  }
  const server = await start(t, runServer, service, { env })
  const [port = 0] = server.ports
  const first = dial(t, port)
  const far = await upstream.accept()
  const second = dial(t, port)
  second.write('waited')
  far.end()
  first.resume().end()
  assert.equal((await chunk(await upstream.accept())).toString(), 'waited')
  const started = performance.now()
  assert.equal((await outcome(dial(t, port))).fin, true)
  assert.ok(performance.now() - started >= 295)
})

test('--header-timeout and --max-pending-headers bound those that say nothing, --max-header-bytes what they say', async t => {
  const args = ['--service', '127.0.0.1:0?pp=detect', '127.0.0.1:1', '--trust', '127.0.0.1']
  const limits = ['--header-timeout', '300', '--max-pending-headers', '1', '--max-header-bytes', '64']
  const server = await start(t, runServer, [...args, ...limits])
  const [port = 0] = server.ports
  const long = dial(t, port)
  long.write(encodeHeader({ source, destination, tlvs: [tlv.noop(64)] }))
  await outcome(long)
  await server.io.line(/ rejected .* reason=header_invalid code=header_too_long /)
  const silent = outcome(
    dial(t, port).on('connect', function (this: Socket) {
      this.write('PROXY')
    }),
  )
  await outcome(dial(t, port))
  await silent
  await server.io.line(/ rejected .* reason=header_timeout .*300 ms/)
  assert.equal(server.warnings.splice(0).length, 1)
})

test('--connect-timeout gives an upstream up', async t => {
  const name = holdName(t, 'upstream.test')
  const server = await start(t, runServer, [
    '--service',
    '127.0.0.1:0',
    'upstream.test:80',
    '--connect-timeout',
    '50',
  ])
  await outcome(dial(t, server.ports[0] ?? 0))
  await server.io.line(/ closed .* reason=connect_timeout .*50 ms/)
  name.answer()
})

test('--idle-timeout resets what is idle', async t => {
  const upstream = await listen(t)
  const service = ['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}`]
  const idling = await start(t, runServer, [...service, '--idle-timeout', '100'])
  assert.equal((await outcome(dial(t, idling.ports[0] ?? 0))).error, 'ECONNRESET')
  await idling.io.line(/ closed .* reason=idle_timeout /)
})

test('--half-close-timeout resets a client that does not end after the upstream has', async t => {
  const upstream = await listen(t)
  const service = ['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}`]
  const server = await start(t, runServer, [...service, '--half-close-timeout', '100'])
  const client = dial(t, server.ports[0] ?? 0)
  const far = await upstream.accept()
  const cut = outcome(far)
  far.end('bye')
  assert.equal((await content(client)).toString(), 'bye')
  await server.io.line(/ closed .* reason=half_close_timeout .*the client does not/)
  assert.equal((await cut).error, 'ECONNRESET')
})

test('--abort-timeout is how long a connection may take to end before it is called stuck', async t => {
  const upstream = await listen(t)
  const made = connectedSockets(t)
  const service = ['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}`]
  const server = await start(t, runServer, [...service, '--abort-timeout', '50', '--drain', '0'])
  dial(t, server.ports[0] ?? 0)
  await chunk(await upstream.accept())
  const [near] = made()
  assert.ok(near)
  const close = near._destroy.bind(near)
  const held = new Promise<() => void>(resolve => {
    near._destroy = (error, callback) => {
      resolve(() => {
        close(error, callback)
      })
    }
  })
  const stopped = server.stop()
  await server.io.line(/ stopped forced=0 stuck=1\n$/)
  assert.deepEqual(server.io.exits, [1])
  const release = await held
  release()
  assert.equal(await stopped, 0)
})

test('--keep-alive tells the kernel when to ask after the client and the upstream', async t => {
  const upstream = await listen(t)
  const calls = keepAliveCalls(t)
  const service = ['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}`, '--keep-alive', '7000']
  const server = await start(t, runServer, service)
  dial(t, server.ports[0] ?? 0)
  await upstream.accept()
  await until(() => calls.length === 2)
  assert.deepEqual(
    calls.map(([, delay]) => delay),
    [7_000, 7_000],
  )
})

test('--drain is what open connections get, and --ready-delay what comes before', async t => {
  const upstream = await listen(t)
  const service = ['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}`]
  const server = await start(t, runServer, [...service, '--drain', '100', '--ready-delay', '200'])
  const [port = 0] = server.ports
  const early = outcome(dial(t, port))
  await upstream.accept()
  const started = performance.now()
  const stopped = server.stop()
  const late = outcome(dial(t, port))
  await upstream.accept()
  assert.equal((await early).error, 'ECONNRESET')
  assert.equal((await late).error, 'ECONNRESET')
  assert.ok(performance.now() - started >= 295)
  assert.equal(await stopped, 0)
  assert.match(server.io.written.join(''), / stopped forced=2 stuck=0\n$/)
})

test('--quiet leaves the lines about what the upstream or the program failed', async t => {
  const upstream = await listen(t)
  const dest = `127.0.0.1:${await closedPort()}`
  const services = [
    ...['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}?pp=noop`],
    ...['--service', '127.0.0.1:0', dest],
    ...['--service', '127.0.0.1:0?pp=v2', dest, '--trust', '10.0.0.0/8'],
  ]
  const server = await start(t, runServer, ['--quiet', ...services])
  const [well = 0, badly = 0, distrusting = 0] = server.ports
  const client = dial(t, well)
  client.end('x')
  const far = await upstream.accept()
  far.resume().end()
  await content(client)
  await outcome(dial(t, distrusting))
  await outcome(dial(t, badly))
  await server.io.line(/ closed .* reason=connect_refused /)
  await server.stop()
  assert.deepEqual(
    server.io.written.map(line => line.split(' ')[1]),
    ['listening', 'listening', 'listening', 'closed', 'draining', 'stopped\n'.trim()],
  )
})

test('log.quiet of a service wins over that of the program, for relayed and refused connections', async t => {
  const upstream = await listen(t)
  const to = { upstream: `127.0.0.1:${upstream.port}?pp=noop` }
  const kinds = [
    { listen: '127.0.0.1:0', ...to },
    { listen: '127.0.0.1:0?pp=v2', trust: ['10.0.0.0/8'], ...to },
  ]
  for (const [quiet, own, seen] of [
    [false, true, []],
    [true, false, ['closed', 'rejected']],
    [true, undefined, []],
  ] as const) {
    const services = kinds.map(each => ({ ...each, log: { quiet: own } }))
    const file = configFile(t, { services, log: { quiet } })
    const server = await start(t, runServer, ['--config', file], { listeners: 2 })
    const [relaying = 0, distrusting = 0] = server.ports
    const client = dial(t, relaying).end('x')
    ;(await upstream.accept()).resume().end()
    await content(client)
    await outcome(dial(t, distrusting))
    await server.stop()
    const events = server.io.written.map(line => line.split(' ')[1])
    assert.deepEqual(events.filter(event => event === 'closed' || event === 'rejected').sort(), seen)
  }
})
