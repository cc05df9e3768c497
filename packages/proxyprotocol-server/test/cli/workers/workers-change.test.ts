// proxyprotocol-server --workers: how all of them begin, and change together.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { otherCertificate } from 'test-support/certificates'
import { content, until } from 'test-support/sockets'
import { temporaryFolder } from 'test-support/folder'
import { atOnce } from '../../support/at-once.ts'
import { certificateFiles } from '../../support/certificate-files.ts'
import { runCommand, type Child } from '../../support/child.ts'
import { configFile } from '../../support/config-file.ts'
import { dialSecure } from '../../support/secure.ts'
import { listen } from '../../support/connections.ts'
import { echo, startUpstream, type Upstream } from '../../support/upstream.ts'
import { CONNECTIONS, endsWell, PROGRAM, serve, startWorkers, WIDTH } from '../../support/workers.ts'

test('SIGHUP changes all workers, or none where the configuration is wrong', async t => {
  const [one, two] = [await startUpstream(t, echo), await startUpstream(t, echo)]
  const taken = await listen(t)
  const service = { name: 'web', listen: '127.0.0.1:0' }
  const configuration = (upstream: Upstream, rest: object = {}): string =>
    JSON.stringify({ services: [{ ...service, upstream: `127.0.0.1:${upstream.port}?pp=noop` }], ...rest })
  const file = configFile(t, configuration(one))
  const { child, port } = await startWorkers(t, ['--config', file])
  const wrong: [text: string, error: RegExp][] = [
    [
      JSON.stringify({
        services: [{ listen: 'ssl://127.0.0.1:0?cert=/nowhere.pem', upstream: '127.0.0.1:1' }],
      }),
      / reload-failed error=".*\/nowhere\.pem/,
    ],
    ['{', / reload-failed error=".*proxy\.json:1:2: /],
    [
      JSON.stringify({ services: [{ listen: `127.0.0.1:${taken.port}`, upstream: '127.0.0.1:1' }] }),
      / reload-failed error=".*EADDRINUSE.*"/,
    ],
  ]
  for (const [text, error] of wrong) {
    writeFileSync(file, text)
    child.send('SIGHUP')
    await child.line(error)
    await serve(t, port, WIDTH)
    assert.equal(two.accepted, 0)
  }
  const before = one.accepted
  writeFileSync(file, configuration(two, { log: { format: 'json' } }))
  child.send('SIGHUP')
  await child.line(/"added":0,"changed":1,"removed":0,"unchanged":0,"event":"reloaded"/)
  await serve(t, port, CONNECTIONS)
  assert.deepEqual([one.accepted, two.accepted], [before, CONNECTIONS])
  await child.until(() => (child.output().match(/"event":"closed"/g)?.length ?? 0) === CONNECTIONS)
  await endsWell(child)
})

test('an address that was in use at one reload is listened at by all workers after the next', async t => {
  const upstream = await startUpstream(t, echo)
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const to = `127.0.0.1:${upstream.port}?pp=noop`
  const file = configFile(t, { services: [{ listen: '127.0.0.1:0', upstream: to }] })
  const { child } = await startWorkers(t, ['--config', file])
  writeFileSync(file, JSON.stringify({ services: [{ listen: `127.0.0.1:${port}`, upstream: to }] }))
  child.send('SIGHUP')
  await child.line(/ reload-failed error="service .*: listen EADDRINUSE: /)
  taken.close()
  await once(taken, 'close')
  child.send('SIGHUP')
  await child.line(/ reloaded added=1 changed=0 removed=1 /)
  await serve(t, port, WIDTH)
  await endsWell(child)
  assert.doesNotMatch(child.output(), /worker-ended|failed error="worker/)
})

test('workers share a UNIX socket, also where the file of one that is gone is in the way', async t => {
  const upstream = await startUpstream(t, echo)
  const path = join(temporaryFolder(t), 'app.sock')
  const dead = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
  ])
  await once(dead, 'exit')
  assert.ok(existsSync(path))
  const child = runCommand(t, [
    ...[...PROGRAM, '--workers', '2', '--service', `unix:${path}`, `127.0.0.1:${upstream.port}?pp=noop`],
  ])
  await child.line(/ worker-started worker=2 /)
  await atOnce(WIDTH, WIDTH, async n => {
    const text = `hello ${n}`
    assert.equal(String(await content(connect({ path }).end(text))), text)
  })
  await endsWell(child)
  assert.doesNotMatch(child.output(), /worker-ended/)
  assert.equal(existsSync(path), false)
})

test('what is settled at the start is refused by name at a reload', async t => {
  const service = { listen: '127.0.0.1:0', upstream: '127.0.0.1:1' }
  const file = configFile(t, { services: [service], workers: 2 })
  const child = runCommand(t, [...PROGRAM, '--config', file])
  await child.line(/ worker-started worker=2 /)
  writeFileSync(file, JSON.stringify({ services: [service], workers: 3 }))
  child.send('SIGHUP')
  await child.line(/ reload-failed error="the number of workers stays as it is while the program runs: /)
  await endsWell(child)
})

test('a worker that cannot follow a reload is replaced by one that begins with the new configuration', async t => {
  const [one, two] = [await startUpstream(t, echo), await startUpstream(t, echo)]
  const configuration = (upstream: Upstream): string =>
    JSON.stringify({ services: [{ listen: '127.0.0.1:0', upstream: `127.0.0.1:${upstream.port}?pp=noop` }] })
  const file = configFile(t, configuration(one))
  const { child, port, pid } = await startWorkers(t, ['--config', file])
  const stopped = await pid(2)
  process.kill(stopped, 'SIGSTOP')
  writeFileSync(file, configuration(two))
  child.send('SIGHUP')
  await child.line(/ changed address=/)
  process.kill(stopped, 'SIGKILL')
  await child.line(/ reloaded added=0 changed=1 /)
  await pid(2, 1)
  await serve(t, port, CONNECTIONS)
  assert.deepEqual([one.accepted, two.accepted], [0, CONNECTIONS])
  await endsWell(child)
})

test('SIGHUP renews the certificates of all workers, and says so once', async t => {
  const { cert, key, source } = certificateFiles(t)
  const upstream = await startUpstream(t, echo)
  const { child, port } = await startWorkers(t, ['--service', source, `127.0.0.1:${upstream.port}?pp=noop`])
  const names = async (): Promise<ReadonlySet<unknown>> => {
    const seen = await Promise.all(Array.from({ length: 20 }, () => nameAt(t, port)))
    return new Set(seen)
  }
  assert.deepEqual(await names(), new Set(['localhost']))
  writeFileSync(cert, otherCertificate.cert)
  writeFileSync(key, otherCertificate.key)
  child.send('SIGHUP')
  await child.line(/ renewed /)
  for (let seen: ReadonlySet<unknown> = new Set(); seen.size !== 1 || !seen.has('other');)
    seen = await names()
  assert.equal(child.output().match(/ renewed /g)?.length, 1)
  await endsWell(child)
})

test('a program whose last worker cannot be replaced ends with 1', async t => {
  const { cert, source } = certificateFiles(t)
  const { child, pid } = await startWorkers(t, ['--service', source, '127.0.0.1:1'])
  rmSync(cert)
  process.kill(await pid(1), 'SIGKILL')
  await child.line(/ failed error=".*cert\.pem/)
  process.kill(await pid(2), 'SIGKILL')
  assert.deepEqual(await child.ended, { code: 1, signal: null, errors: '' })
  await until(() => !child.isAlive())
})

test('what keeps the first worker from starting ends the program, as it does without workers', async t => {
  const { port } = await listen(t)
  const { cert, source } = certificateFiles(t)
  rmSync(cert)
  const start = (service: string): Child =>
    runCommand(t, [...[...PROGRAM, '--workers', '2', '--service', service, '127.0.0.1:1']])
  const [taken, unread] = [start(`127.0.0.1:${port}`), start(source)]
  const { code, errors } = await taken.ended
  assert.deepEqual(
    [code, errors],
    [1, `error: service "127.0.0.1:${port}": listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`],
  )
  const { code: wrong, errors: why } = await unread.ended
  assert.equal(wrong, 2)
  assert.match(why, /^error: .*cert\.pem/)
  assert.deepEqual([taken.output(), unread.output()], ['', ''])
  await until(() => !taken.isAlive() && !unread.isAlive())
})

async function nameAt(t: TestContext, port: number): Promise<unknown> {
  const { secure } = dialSecure(t, port, { rejectUnauthorized: false })
  await once(secure, 'secureConnect')
  const { CN } = secure.getPeerCertificate().subject
  secure.destroy()
  return CN
}
