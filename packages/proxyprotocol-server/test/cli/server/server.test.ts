// proxyprotocol-server, run within the test in front of raw upstreams and of proxyprotocol-echo.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { encodeHeader, parseHeader, tlv } from 'proxyprotocol'
import { closedPort, content, until } from 'test-support/sockets'
import { runEcho, runServer } from '../../../src/cli/index.ts'
import { connectionLimit } from '../../../src/relay/index.ts'
import { processIo } from '../../../src/cli/program.ts'
import { configFile } from '../../support/config-file.ts'
import { portIn } from '../../support/child.ts'
import { ask } from '../../support/http.ts'
import { fakeIo, start } from '../../support/program.ts'
import { setName } from '../../support/names.ts'
import { acceptedSockets, chunk, dial, listen, outcome } from '../../support/connections.ts'

const usage =
  /^error: --service takes SOURCE and at least one DEST, once or more: --service :10000 127\.0\.0\.1:10007\n$/

test('the echo behind it sees the client as the source, and the client gets its bytes back', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0'])
  const server = await start(t, runServer, ['--service', '127.0.0.1:0', `127.0.0.1:${echo.ports[0]}`])
  const client = dial(t, server.ports[0] ?? 0)
  await once(client, 'connect')
  const { localPort } = client
  client.end('hello')
  assert.equal((await content(client)).toString(), 'hello')
  const shown = await echo.io.line(/ connection /)
  const closed = await server.io.line(/ closed /)
  const [, id = ''] = / closed id=(\S+) /.exec(closed) ?? []
  assert.match(
    shown,
    new RegExp(
      ` source=127\\.0\\.0\\.1:${String(localPort)} destination=127\\.0\\.0\\.1:${server.ports[0]} version=2 `,
    ),
  )
  assert.match(shown, new RegExp(` uniqueId=0x${id.replaceAll('-', '')}\n$`))
})

test('a service on every interface shows an IPv4 client as IPv4, in the log and in /stats.json', async t => {
  const upstream = await listen(t)
  const args = ['--service', ':0', `127.0.0.1:${upstream.port}?pp=noop`, '--admin', '127.0.0.1:0']
  const { io, ports } = await start(t, runServer, args)
  const client = dial(t, ports[0] ?? 0)
  client.write('hello')
  const far = await upstream.accept()
  const { body } = await ask(portIn(await io.line(/ admin /)), '/stats.json')
  const ends = `127.0.0.1:${client.localPort}`
  const { list } = (JSON.parse(body) as { connections: { list: Record<string, unknown>[] } }).connections
  assert.deepEqual(
    list.map(({ peer, source, destination }) => [peer, source, destination]),
    [[ends, ends, `127.0.0.1:${ports[0]}`]],
  )
  far.end()
  client.end().resume()
  const local = `127.0.0.1:${ports[0]}`
  assert.ok(
    (await io.line(/ closed /)).includes(` peer=${ends} source=${ends} destination=${local} local=${local} `),
  )
})

test('each --service is a relay of its own with its own header', async t => {
  const upstreams = [await listen(t), await listen(t), await listen(t)]
  const dests = upstreams.map(({ port }, i) => `127.0.0.1:${port}${['', '?pp=v1', '?pp=noop'][i]}`)
  const server = await start(
    t,
    runServer,
    dests.flatMap(dest => ['--service', '127.0.0.1:0', dest]),
  )
  assert.equal(new Set(server.ports).size, 3)
  const received: Buffer[] = []
  for (const [i, upstream] of upstreams.entries()) {
    dial(t, server.ports[i] ?? 0).write('hello')
    received.push(await chunk(await upstream.accept()))
  }
  const [v2, v1, none] = received as [Buffer, Buffer, Buffer]
  assert.equal(v2.subarray(-5).toString(), 'hello')
  assert.equal(parseHeader(v2.subarray(0, -5)).version, 2)
  assert.match(v1.toString(), /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\nhello$/)
  assert.equal(none.toString(), 'hello')
  assert.deepEqual(
    server.io.written.map(line => line.replace(/^\S+ /, '').replace(/address=127\.0\.0\.1:\d+/, 'address=A')),
    upstreams.map(
      ({ port }, i) =>
        `listening address=A service=${['127.0.0.1:0', '"127.0.0.1:0#2"', '"127.0.0.1:0#3"'][i]} upstream=127.0.0.1:${port} sends=${['v2', 'v1', 'none'][i]} ` +
        `connections=${connectionLimit(3)} connectTimeout=5000 idleTimeout=600000 halfCloseTimeout=60000 plane=sockets\n`,
    ),
  )
})

test('a service listens at each address of its list, under names that tell them apart', async t => {
  const upstream = await listen(t)
  const service = { listen: ['127.0.0.1:0', '127.0.0.1:0'], upstream: `127.0.0.1:${upstream.port}` }
  const file = configFile(t, { services: [{ name: 'web', ...service }] })
  const { io, ports } = await start(t, runServer, ['--config', file], { listeners: 2 })
  for (const [at, name] of ['web/127.0.0.1:0', 'web/127.0.0.1:0#2'].entries()) {
    const client = dial(t, ports[at] ?? 0)
    ;(await upstream.accept()).end()
    await content(client.end())
    assert.ok(new RegExp(` service="?${name}"? `).test(await io.line(/ closed /, at)))
  }
})

test('each connection is one line at its end: who, where, why, how much and how long', async t => {
  const upstream = await listen(t)
  const server = await start(t, runServer, ['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}?pp=v1`])
  const [port] = server.ports
  const client = dial(t, port ?? 0)
  client.end('hello')
  const far = await upstream.accept()
  await content(far)
  far.end('hi')
  await content(client)
  assert.match(
    await server.io.line(/ closed /),
    new RegExp(
      `^\\S+Z closed id=[0-9a-f-]{36} service=127\\.0\\.0\\.1:0 peer=(127\\.0\\.0\\.1:\\d+) source=\\1 ` +
        `destination=(127\\.0\\.0\\.1:${port}) local=\\2 upstream=(127\\.0\\.0\\.1:${upstream.port}) ` +
        'upstreamAddress=\\3 attempts=1 sent=v1 reason=done bytesUp=5 bytesDown=2 ' +
        'headerMs=[\\d.]+ connectMs=[\\d.]+ firstByteMs=[\\d.]+ ms=[\\d.]+\n$',
    ),
  )
})

test('a service says at start whom it lets in, and how fast', async t => {
  const service = ['--service', '127.0.0.1:0', '127.0.0.1:1']
  const limits = ['--allow', '127.0.0.0/8,::1', '--deny', '127.0.0.9', '--rate', '20', '--rate-per', '10s']
  const server = await start(t, runServer, [...service, ...limits])
  assert.match(server.io.written.join(''), / allow="127\.0\.0\.0\/8,::1" deny=127\.0\.0\.9 rate=20\/10000ms /)
})

test('SOURCE?pp= accepts headers from whom --trust names, says so at start, and shows client and peer apart', async t => {
  const upstream = await listen(t)
  const service = ['--service', '127.0.0.1:0?pp=detect', `127.0.0.1:${upstream.port}`]
  const server = await start(t, runServer, ['--trust', '10.0.0.0/8', ...service, '--trust', '127.0.0.1,unix'])
  assert.match(
    server.io.written.join(''),
    / sends=v2 expects=detect trust="10\.0\.0\.0\/8,127\.0\.0\.1,unix" headerTimeout=5000 connections=\d+ /,
  )
  const client = dial(t, server.ports[0] ?? 0)
  const tlvs = [tlv.uniqueId('7')]
  client.write(
    encodeHeader({
      source: { address: '192.0.2.1', port: 9 },
      destination: { address: '192.0.2.2', port: 80 },
      tlvs,
    }),
  )
  client.end()
  const far = await upstream.accept()
  far.resume().end()
  client.resume()
  assert.match(
    await server.io.line(/ closed /),
    / uniqueId=0x37 service=127\.0\.0\.1:0 peer=127\.0\.0\.1:\d+ source=192\.0\.2\.1:9 destination=192\.0\.2\.2:80 local=127\.0\.0\.1:\d+ .* received=v2 command=PROXY sent=v2 reason=done /,
  )
})

test('what is turned away before it is relayed is a line of its own', async t => {
  const service = ['--service', '127.0.0.1:0?pp=v2', '127.0.0.1:1', '--trust', 'anyone']
  const server = await start(t, runServer, service)
  await outcome(dial(t, server.ports[0] ?? 0).end('GET / HTTP/1.1\r\n\r\n'))
  assert.match(
    await server.io.line(/ rejected /),
    / rejected id=[0-9a-f-]{36} service=127\.0\.0\.1:0 peer=(\S+) source=\1 destination=(\S+) local=\2 reason=header_missing bytesUp=0 bytesDown=0 ms=[\d.]+ error=".*HTTP/,
  )
})

test('a drain that cuts off the wait for a header leaves its line as well', async t => {
  const service = ['--service', '127.0.0.1:0?pp=v2', '127.0.0.1:1', '--trust', 'anyone']
  const server = await start(t, runServer, service)
  const accepted = acceptedSockets(t)
  dial(t, server.ports[0] ?? 0).write('\r\n\r\n')
  await until(() => accepted.length === 1)
  await server.stop()
  assert.match(await server.io.line(/ rejected /), / reason=aborted bytesUp=0 bytesDown=0 ms=[\d.]+\n$/)
})

test('a refused upstream is a line that says so, and a reset for the client', async t => {
  const dest = `127.0.0.1:${await closedPort()}`
  const server = await start(t, runServer, ['--service', '127.0.0.1:0', dest])
  const { fin, error } = await outcome(dial(t, server.ports[0] ?? 0))
  assert.deepEqual({ fin, error }, { fin: false, error: 'ECONNRESET' })
  const line = await server.io.line(/ closed /)
  assert.ok(
    line.includes(` upstream=${dest} attempts=1 reason=connect_refused bytesUp=0 bytesDown=0 headerMs=`),
  )
  assert.ok(line.endsWith(` error="the upstream refused the connection: connect ECONNREFUSED ${dest}"\n`))
})

test('--log-format json says the same in objects of JSON, from the start to the end', async t => {
  const upstream = await listen(t)
  const args = ['--log-format', 'json', '--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}?pp=v1`]
  const server = await start(t, runServer, args)
  const client = dial(t, server.ports[0] ?? 0)
  client.end('hello')
  const far = await upstream.accept()
  await content(far)
  far.end('hi')
  await content(client)
  await server.io.line(/"event":"closed"/)
  await server.stop()
  const lines = server.io.written.map(line => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(
    lines.map(({ level, event }) => [level, event]),
    [
      ['info', 'listening'],
      ['info', 'closed'],
      ['info', 'draining'],
      ['info', 'stopped'],
    ],
  )
  const [, closed = {}] = lines
  assert.deepEqual(
    Object.entries(closed).map(([key, value]) => `${key} ${typeof value}`),
    [
      ...['level string', 'time string', 'id string', 'service string', 'peer string', 'source string'],
      ...['destination string', 'local string', 'upstream string', 'upstreamAddress string'],
      ...['attempts number', 'sent string'],
      ...['reason string', 'bytesUp number', 'bytesDown number', 'headerMs number', 'connectMs number'],
      ...['firstByteMs number', 'ms number', 'event string'],
    ],
  )
  assert.deepEqual([closed['reason'], closed['bytesUp'], closed['bytesDown']], ['done', 5, 2])
})

test('--log-format json tells also of the end that a wrong configuration is', async () => {
  const io = fakeIo()
  assert.equal(await runServer(['--log-format', 'json', '--service', ':0', '192.0.2.1'], io), 2)
  const [error = ''] = io.errors
  const { level, event, error: said } = JSON.parse(error) as Record<string, string>
  assert.deepEqual([level, event], ['fatal', 'failed'])
  assert.match(said ?? '', /^--service DEST: "192\.0\.2\.1": it must have a port/)
})

test('a name to listen at is shown as the address that it stands for', async t => {
  setName(t, 'localhost', '::1', '127.0.0.1')
  const server = await start(t, runServer, ['--service', 'localhost:0', 'localhost:1'])
  assert.match(
    server.io.written.join(''),
    / listening address=\[::1\]:\d+ service=localhost:0 upstream=localhost:1 sends=v2 /,
  )
})

test('a fault of the relay itself is a line with the connection it befell', async t => {
  const upstream = await listen(t)
  const service = ['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}`]
  const server = await start(t, runServer, service)
  t.mock.method(Socket.prototype, 'setKeepAlive', () => {
    throw new TypeError('a bug')
  })
  await outcome(dial(t, server.ports[0] ?? 0))
  const failed = await server.io.line(/ failed /)
  const closed = await server.io.line(/ closed /)
  assert.match(closed, / reason=handler_error /)
  const [, id] = / id=(\S+) peer=127\.0\.0\.1:\d+ error="TypeError: a bug\\n +at /.exec(failed) ?? []
  assert.ok(id && closed.includes(` id=${id} `))
})

test('--data-plane auto relays on handles, and the line that it listens says so', async t => {
  const upstream = await listen(t)
  const service = ['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}?pp=noop`]
  const server = await start(t, runServer, [...service, '--data-plane', 'auto'])
  await server.io.line(/ listening .* plane=handles\n$/)
  const client = dial(t, server.ports[0] ?? 0)
  client.end('hello')
  const far = await upstream.accept()
  assert.equal((await content(far)).toString(), 'hello')
  far.end('reply')
  assert.equal((await content(client)).toString(), 'reply')
  await server.io.line(/ closed .* reason=done bytesUp=5 bytesDown=5 /)
})

test('SIGTERM lets connections finish and ends the program with 0', async t => {
  const upstream = await listen(t)
  const server = await start(t, runServer, ['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}?pp=noop`])
  const client = dial(t, server.ports[0] ?? 0)
  const far = await upstream.accept()
  const stopped = server.stop()
  await server.io.line(/ draining connections=1\n$/)
  client.end('late')
  assert.equal((await content(far)).toString(), 'late')
  far.end()
  client.resume()
  assert.equal(await stopped, 0)
  assert.match(server.io.written.join(''), / stopped forced=0 stuck=0\n$/)
})

test('one address in use ends it with 1, and lets go of the others', async t => {
  const taken = await listen(t)
  const free = await closedPort()
  const io = fakeIo()
  const services = ['--service', `127.0.0.1:${free}`, ':1', '--service', `127.0.0.1:${taken.port}`, ':1']
  assert.equal(await runServer(services, io), 1)
  assert.match(
    io.errors.join(''),
    /^error: service "127\.0\.0\.1:\d+": listen EADDRINUSE: address already in use 127\.0\.0\.1:\d+\n$/,
  )
  assert.equal((await outcome(dial(t, free))).error, 'ECONNREFUSED')
})

test('several DEST take turns, each with a header of its own kind, and the log says which one served', async t => {
  const upstreams = [await listen(t), await listen(t)]
  const [first, second] = upstreams.map(({ port }) => `127.0.0.1:${port}`)
  const args = ['--service', '127.0.0.1:0', `${first}?pp=v1`, `${second}?pp=noop`]
  const server = await start(t, runServer, args)
  assert.ok((await server.io.line(/ listening /)).includes(` upstream="${first},${second}" `))
  const [port = 0] = server.ports
  for (const [i, upstream] of upstreams.entries()) {
    const client = dial(t, port)
    client.end('hello')
    const far = await upstream.accept()
    const received = (await content(far)).toString()
    assert.match(received, i === 0 ? /^PROXY TCP4 .*\r\nhello$/ : /^hello$/)
    far.end()
    client.resume()
    const line = await server.io.line(/ closed /, i)
    assert.ok(
      line.includes(` upstream=${[first, second][i]} upstreamAddress=${[first, second][i]} attempts=1 `),
    )
  }
})

test('wrong arguments end it with 2 and a message on standard error', async () => {
  const cases: [args: string[], error: RegExp][] = [
    [[], /^error: nothing to do: give --service SOURCE DEST, as in ".*", or --config FILE\n$/],
    [['--service'], /argument missing/],
    [['--service', ':0'], usage],
    [
      ['--service', ':0', ':1', ':1?pp=v1'],
      /^error: --service DEST must be another upstream, got a second 'localhost:1'; give one more weight/,
    ],
    [['--service', ':0', '--service', ':1', ':2', ':3'], usage],
    [['--service=:0', ':1'], usage],
    [
      ['--service', ':0', ':1', '--', ':2'],
      /^error: unknown command ":2"; there are "check FILE", "ctl COMMAND", "health" and "import FILE"\n$/,
    ],
    [['chekc', 'a.json'], /^error: unknown command "chekc"; did you mean "check"\?\n$/],
    [['--service', ':0', '192.0.2.1'], /^error: --service DEST: "192\.0\.2\.1": it must have a port/],
    [['--service', ':0', ':1', '--drian', '5'], /unknown option '--drian'\n\(Did you mean --drain\?\)/],
    [
      ['--service', ':0?pp=v2', ':1'],
      /^error: --service must name the proxies whose headers are believed, because "pp" of `listen` is "v2"/,
    ],
    [['--service', ':0?pp=v2', ':1', '--trust', 'me'], /^error: --trust must hold addresses, .*, got "me";/],
    [
      ['--service', ':0?pp=noop', ':1', '--trust', 'anyone'],
      /^error: --trust needs a SOURCE that accepts headers/,
    ],
    [
      ['--service', ':0', ':1', '--log-format', 'xml'],
      /^error: --log-format must be one of "text", "json", got "xml"/,
    ],
    [
      ['--timeout', '5'],
      /'--timeout'\n\(Did you mean one of --dnsbl-timeout, --connect-timeout, --header-timeout, /,
    ],
    [
      ['-c', 'proxy.json'],
      /unknown option '-c'\n\(Did you mean one of --config, --control, --connect-timeout\?\)\n$/,
    ],
    [['-x'], /^error: unknown option '-x'\n$/],
    [['--services', ':0', ':1'], /unknown option '--services'\n\(Did you mean --service\?\)/],
  ]
  for (const [args, error] of cases) {
    const io = fakeIo()
    assert.equal(await runServer(args, io), 2, args.join(' '))
    assert.match(io.errors.join(''), error)
    assert.deepEqual(io.written, [])
  }
})

test('it runs in the process where nothing else is said', async t => {
  const out = t.mock.method(processIo, 'out', () => {})
  const code = await runServer(['--help'])
  assert.equal(code, 0)
  assert.equal(out.mock.callCount(), 1)
})
