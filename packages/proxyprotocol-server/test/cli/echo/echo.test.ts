// proxyprotocol-echo, run within the test: what it accepts, what it logs, and that it gives every byte back.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Server, type ListenOptions, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { connect } from 'node:tls'
import { encodeHeader, tlv } from 'proxyprotocol'
import { connectionInfo } from 'proxyprotocol/server'
import { content } from 'test-support/sockets'
import { runEcho } from '../../../src/cli/index.ts'
import { processIo } from '../../../src/cli/program.ts'
import { certificateFiles } from '../../support/certificate-files.ts'
import { fakeIo, start, type Running } from '../../support/program.ts'
import {
  acceptedSockets,
  dial,
  largestBuffer,
  listen,
  MEBIBYTE,
  outcome,
  random,
  sha256,
} from '../../support/connections.ts'

const source = { address: '192.0.2.1', port: 51234 }
const destination = { address: '198.51.100.1', port: 443 }

/** A connection of its own for some bytes and their echo. */
async function echoed(
  t: TestContext,
  { ports: [port = 0] }: Running,
  ...pieces: Uint8Array[]
): Promise<Buffer> {
  const client = dial(t, port)
  for (const piece of pieces) client.write(piece)
  client.end()
  return content(client)
}

/** The lines about connections, without their time and id. */
function connections({ io }: Running): string[] {
  return io.written
    .filter(line => / (connection|rejected) /.test(line))
    .map(line => line.replace(/^\S+ (\w+) id=[0-9a-f-]{36} peer=127\.0\.0\.1:\d+ /, '$1 '))
}

test('a version 1 header is shown, and what follows it comes back', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0'])
  const header = encodeHeader({ version: 1, source, destination })
  assert.equal((await echoed(t, echo, header, Buffer.from('hello'))).toString(), 'hello')
  assert.deepEqual(connections(echo), [
    'connection source=192.0.2.1:51234 destination=198.51.100.1:443 version=1 command=PROXY family=INET transport=STREAM\n',
  ])
})

test('a version 2 header is shown with its TLVs, and what follows it comes back', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0'])
  const tlvs = [tlv.authority('example.org'), tlv.uniqueId(Uint8Array.of(1, 2, 3))]
  const header = encodeHeader({ source, destination, tlvs })
  assert.equal((await echoed(t, echo, header, Buffer.from('hello'))).toString(), 'hello')
  assert.deepEqual(connections(echo), [
    'connection source=192.0.2.1:51234 destination=198.51.100.1:443 version=2 command=PROXY family=INET ' +
      'transport=STREAM authority=example.org uniqueId=0x010203\n',
  ])
})

test('a LOCAL header is shown with the addresses of the socket itself', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0'])
  await echoed(t, echo, encodeHeader({ command: 'LOCAL' }))
  const [line = ''] = connections(echo)
  const [port] = echo.ports
  assert.match(
    line,
    new RegExp(
      `^connection source=127\\.0\\.0\\.1:\\d+ destination=127\\.0\\.0\\.1:${port} version=2 command=LOCAL family=UNSPEC transport=UNSPEC\n$`,
    ),
  )
})

test('?pp=noop reads no header: all bytes come back, and the source is the peer', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0?pp=noop'])
  const text = encodeHeader({ version: 1, source, destination })
  assert.deepEqual(await echoed(t, echo, text), Buffer.from(text))
  const [line = ''] = connections(echo)
  assert.match(line, /^connection source=127\.0\.0\.1:\d+ destination=127\.0\.0\.1:\d+\n$/)
})

test('?pp=v1 and ?pp=v2 turn the other version away, saying so', async t => {
  for (const version of [1, 2] as const) {
    const echo = await start(t, runEcho, [`127.0.0.1:0?pp=v${version === 1 ? 2 : 1}`])
    const client = dial(t, echo.ports[0] ?? 0)
    client.end(encodeHeader({ version, source, destination }))
    await outcome(client)
    const line = await echo.io.line(/ rejected /)
    assert.match(line, / reason=header_missing .* error="/)
    assert.match(line, new RegExp(`this looks like a version ${version} header, which is not accepted here`))
  }
})

const strangers: Record<string, { bytes: Buffer; hint: RegExp }> = {
  'a TLS ClientHello': {
    bytes: Buffer.from('1603010200010001fc0303', 'hex'),
    hint: /looks like a TLS ClientHello/,
  },
  'an HTTP request': { bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n'), hint: /looks like an HTTP request/ },
}
for (const [what, { bytes, hint }] of Object.entries(strangers)) {
  test(`${what} is turned away, and its line says what it looks like`, async t => {
    const echo = await start(t, runEcho, ['127.0.0.1:0'])
    const client = dial(t, echo.ports[0] ?? 0)
    client.end(bytes)
    assert.equal((await outcome(client)).bytes.length, 0)
    const line = await echo.io.line(/ rejected /)
    assert.match(line, / reason=header_missing .* error="/)
    assert.match(line, hint)
    assert.equal(connections(echo).length, 1)
  })
}

test('a probe, which closes or resets without a byte, is not logged', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0'])
  const [port = 0] = echo.ports
  const polite = dial(t, port)
  polite.end()
  await outcome(polite)
  const accepted = acceptedSockets(t)
  const rude = dial(t, port)
  await once(rude, 'connect')
  rude.resetAndDestroy()
  await echoed(t, echo, encodeHeader({ command: 'LOCAL' }))
  const [probe] = accepted
  if (probe?.closed === false) await once(probe, 'close')
  assert.deepEqual(
    echo.io.written.map(line => line.split(' ')[1]),
    ['listening', 'connection'],
  )
})

test('nothing from the network leaves its place in the log', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0'])
  const evil = '\n2026-01-01T00:00:00.000Z connection peer="\u001b[2J\u009b31m \u202e\u2028\r'
  await echoed(
    t,
    echo,
    encodeHeader({
      source: { path: `/run/${evil}` },
      destination: { path: ' ' },
      tlvs: [tlv.authority(evil), tlv.alpn(evil), { type: 0xe5, value: Buffer.from(evil) }],
    }),
  )
  const rejected = dial(t, echo.ports[0] ?? 0)
  rejected.end(`GET /${evil} HTTP/1.1\r\n\r\n`)
  await outcome(rejected)
  assert.equal(echo.io.written.length, 3)
  for (const line of echo.io.written) assert.match(line, /^[ -~]+\n$/)
  const shown = JSON.stringify(evil).replace(
    /[\u007f-\uffff]/g,
    c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  const [line = ''] = connections(echo)
  assert.ok(line.includes(` authority=${shown} alpn=${shown} tlv.0xe5=0x`))
  assert.ok(line.startsWith(`connection source="/run/${shown.slice(1)} destination=" " version=2 `))
})

test('a client that does not read stops the echo, and gets every byte back when it goes on', async t => {
  const accepted = acceptedSockets(t)
  const echo = await start(t, runEcho, ['127.0.0.1:0?pp=noop'])
  const payload = random(32 * MEBIBYTE)
  const client = dial(t, echo.ports[0] ?? 0)
  await echo.io.line(/ connection /)
  const [socket] = accepted
  assert.ok(socket)
  const stopped = once(socket, 'pause')
  client.end(payload)
  const received = stopped.then(() => content(client))
  assert.ok((await largestBuffer([socket], received)) < 256 * 1024)
  assert.equal(sha256(await received), sha256(payload))
})

test('a client that resets is not a fault of the echo, and other connections go on', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0'])
  const header = encodeHeader({ command: 'LOCAL' })
  const [rude, polite] = [dial(t, echo.ports[0] ?? 0), dial(t, echo.ports[0] ?? 0)]
  for (const client of [rude, polite]) client.write(header)
  await echo.io.line(/ connection /, 1)
  rude.write(random(MEBIBYTE), () => rude.resetAndDestroy())
  await once(rude, 'close')
  polite.end('hello')
  assert.equal((await content(polite)).toString(), 'hello')
  assert.equal(await echo.stop(), 0)
  assert.deepEqual(
    echo.io.written.filter(line => line.includes(' failed ')),
    [],
  )
})

test('a fault of the echo itself is one line with the connection it befell, and resets that connection', async t => {
  const accepted = acceptedSockets(t)
  const echo = await start(t, runEcho, ['127.0.0.1:0?pp=noop'])
  const client = dial(t, echo.ports[0] ?? 0)
  const cut = outcome(client)
  await echo.io.line(/ connection /)
  const [socket] = accepted as [Socket]
  socket.destroy(new TypeError('a bug'))
  assert.equal((await cut).fin, false)
  assert.match(
    await echo.io.line(/ failed /),
    / failed id=\S{36} peer=127\.0\.0\.1:\d+ error="TypeError: a bug\\n/,
  )
  assert.ok(connectionInfo(socket))
})

test('it says at the start where it listens, what it expects and whom it trusts', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0?pp=v2'])
  assert.match(
    echo.io.written.join(''),
    /^\S+Z listening address=127\.0\.0\.1:\d+ expects=v2 trust=anyone\n$/,
  )
})

test('SIGTERM lets a connection finish and ends the program with 0', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0?pp=noop'])
  const client = dial(t, echo.ports[0] ?? 0)
  await echo.io.line(/ connection /)
  const stopped = echo.stop()
  await echo.io.line(/ draining connections=1\n$/)
  client.end('late')
  assert.equal((await content(client)).toString(), 'late')
  assert.equal(await stopped, 0)
  assert.match(echo.io.written.join(''), / stopped forced=0 stuck=0\n$/)
})

test('without an address it listens on port 10007 of every interface', async t => {
  let where: ListenOptions | undefined
  t.mock.method(Server.prototype, 'listen', function (this: Server, options: ListenOptions) {
    where = options
    process.nextTick(() => this.emit('error', Object.assign(new Error('enough'), { syscall: 'listen' })))
  })
  const io = fakeIo()
  assert.equal(await runEcho([], io), 1)
  assert.deepEqual([where?.host, where?.port, io.errors], [undefined, 10_007, ['error: enough\n']])
})

test('an address in use ends it with 1, wrong arguments with 2, and --help with 0', async t => {
  const { port } = await listen(t)
  const cases: [args: string[], code: number, error: RegExp][] = [
    [[`127.0.0.1:${port}`], 1, /^error: listen EADDRINUSE: address already in use 127\.0\.0\.1:\d+\n$/],
    [
      ['127.0.0.1:99999'],
      2,
      /^error: listen address "127\.0\.0\.1:99999": the port must be .*, got "99999"; .*\n$/,
    ],
    [['ssl://:0'], 2, /"cert" must be the file of the certificate, got nothing/],
    [[':0', ':0'], 2, /^error: the arguments must be one HOST:PORT, got ":0" ":0"\n$/],
    [
      ['detect'],
      2,
      /^error: HOST:PORT must be where to listen, got "detect"; did you mean ":10007\?pp=detect"\?\n$/,
    ],
    [['v1', '127.0.0.1:1'], 2, /, got "v1"; did you mean "127\.0\.0\.1:1\?pp=v1"\?\n$/],
    [['-p'], 2, /unknown option '-p'\n\(Did you mean --page\?\)\n$/],
    [['--help'], 0, /^$/],
  ]
  for (const [args, code, error] of cases) {
    const io = fakeIo()
    assert.equal(await runEcho(args, io), code)
    assert.match(io.errors.join(''), error)
    assert.equal(io.written.length > 0, code === 0)
  }
})

test('it runs in the process where nothing else is said', async t => {
  const out = t.mock.method(processIo, 'out', () => {})
  const code = await runEcho(['--version'])
  assert.equal(code, 0)
  assert.equal(out.mock.callCount(), 1)
})

test('--log-format json shows a header as an object of JSON; a format that does not exist is refused', async t => {
  const echo = await start(t, runEcho, ['127.0.0.1:0', '--log-format', 'json'])
  const tlvs = [
    tlv.authority('bidi\u202e'),
    { type: 0xe5, value: Uint8Array.of(1) },
    { type: 0xe5, value: Uint8Array.of(2) },
  ]
  await echoed(t, echo, encodeHeader({ source, destination, tlvs }))
  const line = await echo.io.line(/"event":"connection"/)
  assert.match(line, /^[ -~]+\n$/)
  const object = JSON.parse(line) as Record<string, unknown>
  assert.deepEqual([object['source'], object['authority']], ['192.0.2.1:51234', 'bidi\u202e'])
  assert.deepEqual(object['tlv.0xe5'], ['0x01', '0x02'])
  const io = fakeIo()
  assert.equal(await runEcho(['--log-format', 'xml'], io), 2)
  assert.match(io.errors.join(''), /Allowed choices are text, json/)
})

test('echo ends TLS behind the header where its address says so', async t => {
  const { source: secure } = certificateFiles(t)
  const echo = await start(t, runEcho, [secure])
  const raw = dial(t, echo.ports[0] ?? 0)
  raw.write(encodeHeader({ source, destination }))
  const client = connect({ socket: raw, rejectUnauthorized: false })
  await once(client, 'secureConnect')
  client.end('hello')
  assert.equal((await content(client)).toString(), 'hello')
  assert.match(await echo.io.line(/ connection /), / source=192\.0\.2\.1:51234 /)
})
