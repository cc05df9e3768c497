// What the doctor prints, and the exit codes of its failures.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { test } from 'node:test'
import { attach } from 'proxyprotocol/server'
import { closedPort } from 'test-support/sockets'
import { exchange } from '../../../src/cli/inspect/doctor-exchange.ts'
import { inspectIo, runInspect } from '../../../src/cli/inspect/inspect.ts'
import { fakeIo } from '../../support/program.ts'
import { atEnd } from '../../support/teardown.ts'
import { listening, diagnose } from '../../support/diagnosis.ts'

function respond(_request: http.IncomingMessage, response: http.ServerResponse): void {
  response.end('ok')
}

const trust = ['127.0.0.1']

test('as a table it has the lines of configuration below it, with colours for a terminal', async t => {
  const port = await listening(t, attach(http.createServer(respond), { trust, version: 'v2' }))
  const outputs = []
  for (const colours of [false, true]) {
    const io = fakeIo()
    await runInspect(['doctor', `127.0.0.1:${port}`], { ...inspectIo, ...io, colours })
    outputs.push(io.written.join(''))
  }
  const [plain = '', painted = ''] = outputs
  assert.match(
    plain,
    /^sent +seen +so\nno header +closed behind the request +refused\nversion 1 +closed at once +refused\n/,
  )
  assert.match(plain, /\nversion 2 +HTTP\/1\.1 200 +accepted\n/)
  assert.match(plain, /\nHAProxy: version 2\n {4}server app1 127\.0\.0\.1:\d+ send-proxy-v2\n/)
  assert.match(plain, /\nnginx: sends version 1 only\n/)
  assert.equal(painted.replace(/\u001b\[\d+m/g, ''), plain)
  assert.match(painted, /\u001b\[32maccepted/)
})

test('where nothing is accepted it says who is asked, and that trust may be why', async t => {
  const port = await listening(t, attach(http.createServer(respond), { trust: ['192.0.2.1'] }))
  const io = fakeIo()
  assert.equal(await runInspect(['doctor', `127.0.0.1:${port}`], { ...inspectIo, ...io, colours: false }), 3)
  const text = io.written.join('')
  assert.match(text, /Nothing that a sender could be set to is clearly accepted\./)
  assert.match(text, /refuses the headers of those that it does not trust: run this where they are sent from/)
})

test('a port without a listener ends it with 1, and wrong arguments with 2', async () => {
  const closed = fakeIo()
  const at = `127.0.0.1:${await closedPort()}`
  assert.equal(await runInspect(['doctor', at], { ...inspectIo, ...closed }), 1)
  assert.match(closed.errors.join(''), /^error: connect ECONNREFUSED 127\.0\.0\.1:\d+\n$/)
  const wrong: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [[], /missing required argument 'HOST:PORT'/],
    [['localhost'], /upstream address "localhost"/],
    [['unix:/run/a.sock'], /TLS and headers are what is tried/],
    [['ssl://a:1'], /TLS and headers are what is tried/],
    [['a:1?pp=v1'], /TLS and headers are what is tried/],
    [['a:1', '--expect', 'v3'], /--expect must be one of none, v1, v2, local, tls, v1\+tls.*, got "v3"/],
    [
      ['a:1', '--timeout', '2s'],
      /--timeout must be an integer from 251 to 60000 \(milliseconds\), got "2s"; did you mean 2000\?/,
    ],
    [['a:1', '--timeout', '5'], /got "5"; did you mean 5000\?/],
    [['a:1', '--timeout', '250'], /--timeout must be .*, got "250"\n/],
    [['a:1', '--timeout', '99'], /--timeout must be .*, got "99"\n/],
    [['a:1', '--timeout', '0'], /--timeout must be .*, got "0"\n/],
    [['a:1', '--timeout', '60001'], /--timeout must be .*, got "60001"\n/],
  ]
  for (const [args, message] of wrong) {
    const io = fakeIo()
    assert.equal(await runInspect(['doctor', ...args], { ...inspectIo, ...io }), 2, args.join(' '))
    assert.match(io.errors.join(''), message)
  }
})

test('where no connection comes about in time, it says so and ends with 1', async t => {
  t.mock.method(AbortSignal, 'timeout', () => AbortSignal.abort())
  const io = fakeIo()
  assert.equal(await runInspect(['doctor', '127.0.0.1:9'], { ...inspectIo, ...io }), 1)
  assert.deepEqual(io.errors, ['error: no connection within 2000 ms\n'])
})

test('a far end that resets at once is one that refuses, and was reached', async t => {
  const server = spawn(process.execPath, [
    '-e',
    `require('net').createServer(socket => socket.resetAndDestroy())
      .listen(0, '127.0.0.1', function () { console.log(this.address().port) })`,
  ])
  atEnd(t, async () => {
    server.kill()
    await once(server, 'exit')
  })
  const [said] = (await once(server.stdout, 'data')) as [Buffer]
  const port = Number(said)
  const seen = exchange({ host: '127.0.0.1', port, timeout: 2_000 }, ['v2'])
  // It is about to connect, and looks again when another one that came later has been reset.
  process.nextTick(() =>
    spawnSync(process.execPath, ['-e', `require('net').connect(${port}, '127.0.0.1').on('error', () => {})`]),
  )
  const { outcome, asked, detail } = await seen
  assert.deepEqual([outcome, asked, detail], ['reset', false, undefined])
  const { code, of } = await diagnose(port)
  assert.deepEqual([code, of('none').verdict, of('v2+tls').verdict], [3, 'refused', 'refused'])
})
