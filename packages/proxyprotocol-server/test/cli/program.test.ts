// What all programs share: exit codes, messages for users and for us, and how signals end them.

import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { ConfigError } from '../../src/config/index.ts'
import {
  createCommand,
  explain,
  logFailure,
  outliveReader,
  processIo,
  runProgram,
  serveUntilSignal,
  type Drainable,
} from '../../src/cli/program.ts'
import { fakeIo } from '../support/program.ts'

/** A server whose close() resolves when the test says so. */
function fakeServer(): Drainable & {
  closes: number
  finish(result: { forced: number; stuck: number }): void
} {
  let finish: (result: Awaited<ReturnType<Drainable['close']>>) => void = () => {}
  const closed = new Promise<Awaited<ReturnType<Drainable['close']>>>(resolve => {
    finish = resolve
  })
  const server = {
    closes: 0,
    connections: new Set<never>(),
    close: () => {
      server.closes++
      return closed
    },
    finish: ({ forced, stuck }: { forced: number; stuck: number }) => {
      finish({ drained: 0, forced, stuck: Array.from({ length: stuck }, () => ({ id: 'id', age: 1 })) })
    },
  }
  return server
}

test('a program that does its job exits with 0', async () => {
  const io = fakeIo()
  assert.equal(await runProgram(io, async () => {}), 0)
  assert.deepEqual([io.written, io.errors], [[], []])
})

test('what the user got wrong is told in one line, and exits with 2', async () => {
  const io = fakeIo()
  const code = await runProgram(io, async () => {
    throw new ConfigError('no such thing')
  })
  assert.equal(code, 2)
  assert.deepEqual(io.errors, ['error: no such thing\n'])
})

test('what the system refuses is told in one line, and exits with 1', async () => {
  const io = fakeIo()
  const code = await runProgram(io, async () => {
    throw Object.assign(new Error('listen EADDRINUSE: address already in use'), { syscall: 'listen' })
  })
  assert.equal(code, 1)
  assert.deepEqual(io.errors, ['error: listen EADDRINUSE: address already in use\n'])
})

test("a program's own fault is told with its stack, and exits with 1", async () => {
  for (const fault of [new TypeError('a bug'), 'a bug']) {
    const io = fakeIo()
    const code = await runProgram(io, async () => {
      throw fault
    })
    assert.equal(code, 1)
    assert.match(
      io.errors.join(''),
      typeof fault === 'string' ? /^error: 'a bug'\n$/ : /^error: TypeError: a bug\n +at /,
    )
  }
})

test('a command writes to its io and leaves the process alone', async () => {
  const io = fakeIo()
  const run = (arg: string): Promise<number> =>
    runProgram(io, async () => {
      createCommand('a-program', io).parse([arg], { from: 'user' })
    })
  assert.equal(await run('--version'), 0)
  assert.match(io.written.join(''), /^\d+\.\d+\.\d+\n$/)
  assert.equal(await run('--help'), 0)
  assert.match(io.written.join(''), /Usage: a-program/)
  assert.equal(await run('--no-such-option'), 2)
  assert.match(io.errors.join(''), /unknown option '--no-such-option'/)
})

test('the process itself is what programs write to by default', t => {
  const out = t.mock.method(process.stdout, 'write', (_: string, onWritten?: () => void) => onWritten?.())
  const error = t.mock.method(process.stderr, 'write', () => true)
  const exit = t.mock.method(process, 'exit', () => {})
  processIo.out('to standard output')
  processIo.error('to standard error')
  processIo.log.write('event', [])
  processIo.exit(3)
  const calls = [out, error, exit].map(({ mock }) => mock.calls.map(call => call.arguments as unknown[]))
  t.mock.restoreAll()
  const [lines = [], ...others] = calls
  assert.deepEqual([lines[0], ...others], [['to standard output'], [['to standard error']], [[3]]])
  assert.match(String(lines[1]?.[0]), /^\S+Z event\n$/)
  const listener = (): void => {}
  processIo.on('SIGTERM', listener)
  assert.ok(process.listeners('SIGTERM').includes(listener))
  processIo.off('SIGTERM', listener)
  assert.ok(!process.listeners('SIGTERM').includes(listener))
})

test('a stream whose reader is gone is not a fault of the program', () => {
  const stream = new PassThrough()
  outliveReader(stream)
  assert.equal(stream.emit('error', new Error('write EPIPE')), true)
})

test('a fault of the program is logged on one line, stack included', () => {
  const io = fakeIo()
  logFailure(io, new TypeError('a bug'), undefined)
  assert.match(io.written.join(''), /^\S+Z failed error="TypeError: a bug\\n +at [^\n]*"\n$/)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} closes every server once, and the program ends when all are closed`, async () => {
    const io = fakeIo()
    const servers = [fakeServer(), fakeServer()]
    const ended = serveUntilSignal(io, servers, async () => {})
    assert.deepEqual(
      servers.map(server => server.closes),
      [0, 0],
    )
    io.send(signal)
    await io.line(/ draining connections=0\n$/)
    for (const server of servers) server.finish({ forced: 2, stuck: 0 })
    await ended
    assert.deepEqual(
      servers.map(server => server.closes),
      [1, 1],
    )
    assert.match(io.written.join(''), / stopped forced=4 stuck=0\n$/)
    assert.deepEqual(io.exits, [])
    assert.deepEqual(
      [io.send('SIGINT'), io.send('SIGTERM')],
      [false, false],
      'signals are left to the system again',
    )
  })

  test(`a second signal ends the process at once with 1, ${signal} after the other too`, async () => {
    const io = fakeIo()
    const server = fakeServer()
    const ended = serveUntilSignal(io, [server], async () => {})
    io.send('SIGTERM')
    await io.line(/ draining /)
    io.send(signal)
    assert.deepEqual(io.exits, [1])
    assert.equal(server.closes, 1)
    server.finish({ forced: 0, stuck: 0 })
    await ended
  })
}

test('a signal that comes before the program listens ends it as soon as it does', async () => {
  const io = fakeIo()
  const server = fakeServer()
  server.finish({ forced: 0, stuck: 0 })
  await serveUntilSignal(io, [server], async () => {
    io.send('SIGTERM')
    io.out('listening\n')
  })
  assert.deepEqual(
    io.written.map(line => line.replace(/^\S+Z /, '')),
    ['listening\n', 'draining connections=0\n', 'stopped forced=0 stuck=0\n'],
  )
  assert.deepEqual(io.exits, [])
})

test('a program that cannot listen leaves the signals to the system again', async () => {
  const io = fakeIo()
  const failure = new Error('in use')
  const ended = serveUntilSignal(io, [fakeServer()], () => Promise.reject(failure))
  await assert.rejects(ended, failure)
  assert.deepEqual([io.send('SIGINT'), io.send('SIGTERM')], [false, false])
})

test('a handler that does not end ends the process with 1, which its sockets would keep alive', async () => {
  const io = fakeIo()
  const server = fakeServer()
  const ended = serveUntilSignal(io, [server], async () => {})
  io.send('SIGTERM')
  server.finish({ forced: 0, stuck: 1 })
  await ended
  assert.match(io.written.join(''), / stopped forced=0 stuck=1\n$/)
  assert.deepEqual(io.exits, [1])
})

test('what is not a fault of the user is explained with all there is to find it by', () => {
  assert.equal(explain(new ConfigError('the port')), 'the port')
  assert.match(explain(new TypeError('a bug')), /^TypeError: a bug\n +at /)
})
