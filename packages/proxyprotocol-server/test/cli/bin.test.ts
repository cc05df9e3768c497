// The programs as the user starts them: what only a process of its own can show.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { content } from 'test-support/sockets'
import { pathOf, portIn, run, runCommand } from '../support/child.ts'
import { configFile } from '../support/config-file.ts'
import { chunk, dial, listen } from '../support/connections.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

for (const name of ['proxyprotocol-echo', 'proxyprotocol-server']) {
  const script = `packages/proxyprotocol-server/bin/${name}.js`
  /** The upstream stays unused: no client connects. */
  const argsAt = (address: string): string[] =>
    name === 'proxyprotocol-echo' ? [address] : ['--service', address, '127.0.0.1:1']

  test(`${name} --help and --version write to standard output and exit with 0`, async t => {
    const [help, shown] = [run(t, script, ['--help']), run(t, script, ['--version'])]
    assert.deepEqual(await help.ended, { code: 0, signal: null, errors: '' })
    assert.match(help.output(), new RegExp(`^Usage: ${name} `))
    assert.deepEqual(await shown.ended, { code: 0, signal: null, errors: '' })
    assert.equal(shown.output(), `${version}\n`)
  })

  test(`${name} exits with 2 and a message on standard error when its arguments are wrong`, async t => {
    const child = run(t, script, ['--no-such-option'])
    const { code, errors } = await child.ended
    assert.deepEqual([code, errors], [2, "error: unknown option '--no-such-option'\n"])
    assert.equal(child.output(), '')
  })

  test(`${name} exits with 1 when its address is in use`, async t => {
    const { port } = await listen(t)
    const { code, errors } = await run(t, script, argsAt(`127.0.0.1:${port}`)).ended
    assert.equal(code, 1)
    assert.match(
      errors,
      new RegExp(`^error: .*listen EADDRINUSE: address already in use 127\\.0\\.0\\.1:${port}\n$`),
    )
  })

  test(`${name} exits with 0 on SIGTERM without connections`, async t => {
    const child = run(t, script, argsAt('127.0.0.1:0'))
    await child.line(/ listening /)
    child.send('SIGTERM')
    assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
    assert.match(child.output(), / draining connections=0\n\S+ stopped forced=0 stuck=0\n$/)
  })

  test(`${name} exits with 0 on SIGTERM also as a worker of a cluster, as pm2 starts it`, async t => {
    const primary = `
      const cluster = require('node:cluster')
      cluster.setupPrimary(${JSON.stringify({ exec: pathOf(script), args: argsAt('127.0.0.1:0'), execArgv: [] })})
      const worker = cluster.fork()
      worker.on('listening', () => process.kill(worker.process.pid, 'SIGTERM'))
      worker.on('exit', (code, signal) => console.log('exit', code, signal))`
    const child = runCommand(t, [process.execPath, '--input-type=commonjs', '--eval', primary])
    assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
    assert.match(child.output(), / stopped forced=0 stuck=0\nexit 0 null\n$/)
  })
}

test('proxyprotocol-server check takes the variables of its process, and exits with 0, or with 2 and all that is wrong', async t => {
  const bin = [process.execPath, pathOf('packages/proxyprotocol-server/bin/proxyprotocol-server.js')]
  const file = configFile(t, { services: [{ listen: ':10000', upstream: '127.0.0.1:10007' }] })
  const right = runCommand(t, [...bin, 'check', file], { PROXYPROTOCOL_IDLE_TIMEOUT: '7' })
  assert.deepEqual(await right.ended, { code: 0, signal: null, errors: '' })
  assert.match(right.output(), /\n {2}resets what is silent for 7 ms; /)
  const wrong = runCommand(t, [...bin, 'check', file], {
    PROXYPROTOCOL_DRAIN: '5 s',
    PROXYPROTOCOL_QUIET: '1',
  })
  const { code, errors } = await wrong.ended
  assert.equal(code, 2)
  assert.equal(
    errors,
    'error: PROXYPROTOCOL_DRAIN must be an integer from 0 to 2147483647 (milliseconds) or a string such as "10s", got "5 s"\n' +
      'error: PROXYPROTOCOL_QUIET must be true or false, got "1"\n',
  )
  assert.equal(wrong.output(), '')
})

test('proxyprotocol-inspect explains a header of its own making, and exits with 3 for what is none', async t => {
  const script = 'packages/proxyprotocol-server/bin/proxyprotocol-inspect.js'
  const built = run(t, script, ['build', '--v1'])
  assert.deepEqual(await built.ended, { code: 0, signal: null, errors: '' })
  const explained = run(t, script, [built.output().trim()])
  assert.deepEqual(await explained.ended, { code: 0, signal: null, errors: '' })
  assert.match(explained.output(), /^PROXY protocol version 1, PROXY, 15 bytes\n/)
  assert.equal((await run(t, script, ['474554']).ended).code, 3)
})

test('proxyprotocol-echo lets a connection finish after SIGTERM, and exits with 0', async t => {
  const child = run(t, 'packages/proxyprotocol-server/bin/proxyprotocol-echo.js', ['127.0.0.1:0?pp=noop'])
  const client = dial(t, portIn(await child.line(/ listening /)))
  await child.line(/ connection /)
  child.send('SIGTERM')
  await child.line(/ draining connections=1$/)
  client.end('late')
  assert.equal((await content(client)).toString(), 'late')
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
})

test('proxyprotocol-server lets a connection finish after SIGTERM, and exits with 0', async t => {
  const upstream = await listen(t)
  const args = ['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}`]
  const child = run(t, 'packages/proxyprotocol-server/bin/proxyprotocol-server.js', args)
  const client = dial(t, portIn(await child.line(/ listening /)))
  const far = await upstream.accept()
  await chunk(far)
  child.send('SIGTERM')
  await child.line(/ draining connections=1$/)
  client.end('late')
  assert.equal((await content(far)).toString(), 'late')
  far.end()
  client.resume()
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
  assert.match(child.output(), / closed .* reason=done bytesUp=4 bytesDown=0 /)
})

test('a second signal ends a program at once, with 1', async t => {
  const child = run(t, 'packages/proxyprotocol-server/bin/proxyprotocol-echo.js', ['127.0.0.1:0?pp=noop'])
  dial(t, portIn(await child.line(/ listening /)))
  await child.line(/ connection /)
  child.send('SIGTERM')
  await child.line(/ draining connections=1$/)
  child.send('SIGINT')
  assert.deepEqual(await child.ended, { code: 1, signal: null, errors: '' })
  assert.doesNotMatch(child.output(), / stopped /)
})

test('a log without a reader ends no connection, and no program', async t => {
  const child = run(t, 'packages/proxyprotocol-server/bin/proxyprotocol-echo.js', ['127.0.0.1:0?pp=noop'])
  const port = portIn(await child.line(/ listening /))
  child.deafen()
  for (const text of ['one', 'two', 'three']) {
    const client = dial(t, port)
    client.end(text)
    assert.equal((await content(client)).toString(), text)
  }
  child.send('SIGTERM')
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
})
