// SIGHUP: a new configuration takes the place of the old one while connections come, or leaves it as it was.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { runServer } from '../../../src/cli/index.ts'
import { portIn } from '../../support/child.ts'
import { configFile } from '../../support/config-file.ts'
import { start } from '../../support/program.ts'
import { chunk, dial, listen, outcome, type Listener } from '../../support/connections.ts'

const HANGUP = 'SIGHUP'

interface ServiceText {
  readonly name: string
  readonly listen?: string
  readonly upstream: string
  readonly timeouts?: object
  readonly limits?: object
}

/** A configuration with these services, at ports of the system's choice. */
function configuration(services: readonly ServiceText[], rest: object = {}): string {
  return JSON.stringify({ ...rest, services: services.map(each => ({ listen: '127.0.0.1:0', ...each })) })
}

function at({ port }: Pick<Listener, 'port'>): string {
  return `127.0.0.1:${port}?pp=noop`
}

async function reaches(t: TestContext, port: number, upstream: Listener): Promise<Socket> {
  dial(t, port).write('hello')
  const far = await upstream.accept()
  assert.equal(String(await chunk(far)), 'hello')
  return far
}

test('SIGHUP adds, changes and removes services, says so, and leaves the others alone', async t => {
  const [one, two] = [await listen(t), await listen(t)]
  const same = { name: 'same', upstream: at(one) } // its share of the descriptors is another one with each number of services
  const file = configFile(t, configuration([same, { name: 'changes', upstream: at(one) }]))
  const { io, ports } = await start(t, runServer, ['--config', file], { listeners: 2 })
  const [samePort = 0, changedPort = 0] = ports
  writeFileSync(
    file,
    configuration([
      same,
      { name: 'changes', upstream: at(two), timeouts: { idle: 1_000 } },
      { name: 'new', upstream: at(two) },
    ]),
  )
  io.send(HANGUP)
  await io.line(/ reloaded added=1 changed=1 removed=0 unchanged=1\n$/)
  const changed = await io.line(/ changed address=/)
  assert.match(
    changed,
    new RegExp(` address=127\\.0\\.0\\.1:${changedPort} service=changes .* idleTimeout=1000 `),
  )
  await reaches(t, samePort, one)
  await reaches(t, changedPort, two)
  const added = Number(/:(\d+) service=new /.exec(await io.line(/ listening .* service=new /))?.[1])
  await reaches(t, added, two)
  writeFileSync(file, configuration([same]))
  io.send(HANGUP)
  await io.line(/ reloaded added=0 changed=0 removed=2 unchanged=1\n$/)
  assert.match(io.written.join(''), / removed service=changes\n.* removed service=new\n/)
  assert.equal((await outcome(dial(t, added))).error, 'ECONNREFUSED')
  await reaches(t, samePort, one)
})

test('a configuration that is wrong is reported, and the old one goes on', async t => {
  const upstream = await listen(t)
  const taken = await listen(t)
  const file = configFile(t, configuration([{ name: 'a', upstream: at(upstream) }]))
  const { io, ports } = await start(t, runServer, ['--config', file], { listeners: 1 })
  const cases: [text: string, error: RegExp][] = [
    ['{', / reload-failed error=".*proxy\.json:1:2: /],
    [configuration([{ name: 'a', upstream: 'nowhere' }]), / reload-failed error=".*it must have a port/],
    [
      configuration([
        { name: 'a', upstream: at(taken) },
        { name: 'b', listen: `127.0.0.1:${taken.port}`, upstream: at(upstream) },
      ]),
      / reload-failed error="service .*: listen EADDRINUSE: address already in use 127\.0\.0\.1:\d+"\n$/,
    ],
  ]
  for (const [text, error] of cases) {
    writeFileSync(file, text)
    io.send(HANGUP)
    await io.line(error)
    await reaches(t, ports[0] ?? 0, upstream)
  }
  assert.equal(io.written.filter(line => line.includes(' reloaded ')).length, 0)
})

test('quiet and shutdown are those of the newest configuration, also for relays that stay', async t => {
  const upstream = await listen(t)
  const services = [{ name: 'a', upstream: at(upstream) }]
  const file = configFile(t, configuration(services))
  const running = await start(t, runServer, ['--config', file], { listeners: 1 })
  const { io, ports } = running
  writeFileSync(file, configuration(services, { log: { quiet: true }, shutdown: { drain: 20 } }))
  io.send(HANGUP)
  await io.line(/ reloaded added=0 changed=0 removed=0 unchanged=1\n$/)
  dial(t, ports[0] ?? 0)
  await upstream.accept()
  assert.equal(await running.stop(), 0)
  assert.match(io.written.join(''), / stopped forced=1 stuck=0\n$/)
  assert.equal(io.written.filter(line => line.includes(' closed ')).length, 0)
})

test('signals that come while it starts or reloads count as one', async t => {
  const upstream = await listen(t)
  const services = [{ name: 'a', upstream: at(upstream) }]
  const file = configFile(t, configuration(services))
  const { io } = await start(t, runServer, ['--config', file], { listeners: 1 })
  for (let i = 0; i < 10; i++) io.send(HANGUP)
  await io.line(/ reloaded /, 1)
  await reaches(t, portIn(await io.line(/ listening /)), upstream)
  assert.equal(io.written.filter(line => line.includes(' reloaded ')).length, 2)
})

test('SIGHUP while it drains changes nothing, and does not end it', async t => {
  const upstream = await listen(t)
  const file = configFile(t, configuration([{ name: 'a', upstream: at(upstream) }]))
  const running = await start(t, runServer, ['--config', file], { listeners: 1 })
  const { io, ports } = running
  const client = dial(t, ports[0] ?? 0)
  const far = await upstream.accept()
  const stopped = running.stop()
  await io.line(/ draining /)
  assert.equal(io.send(HANGUP), true)
  client.end()
  far.resume().end()
  client.resume()
  assert.equal(await stopped, 0)
  assert.equal(io.written.filter(line => line.includes('reload')).length, 0)
  assert.equal(io.send(HANGUP), false, 'a listener was left')
})

test('SIGHUP without a file leaves the services alone', async t => {
  const upstream = await listen(t)
  const { io } = await start(t, runServer, ['--service', '127.0.0.1:0', at(upstream)])
  io.send(HANGUP)
  await io.line(/ reloaded added=0 changed=0 removed=0 unchanged=1\n$/)
})

test('the log takes the form of the newest configuration, and the admin listener stays as it is', async t => {
  const upstream = await listen(t)
  const services = [{ name: 'a', upstream: at(upstream) }]
  const admin = { listen: '127.0.0.1:0' }
  const file = configFile(t, configuration(services, { admin }))
  const { io } = await start(t, runServer, ['--config', file], { listeners: 1 })
  const url = `http://127.0.0.1:${portIn(await io.line(/ admin /))}`
  writeFileSync(file, configuration(services))
  io.send(HANGUP)
  await io.line(
    / reload-failed error="the admin listener stays as it is while the program runs: restart it for another one"/,
  )
  writeFileSync(file, configuration(services, { admin, log: { format: 'json' } }))
  io.send(HANGUP)
  await io.line(/^\{.*"reloaded"/)
  assert.equal((await fetch(`${url}/readyz`)).status, 200)
})

test('metrics of a service count on over a reload', async t => {
  const upstream = await listen(t)
  const text = (idle: number): string => {
    const admin = { listen: '127.0.0.1:0' }
    return configuration([{ name: 'a', upstream: at(upstream), timeouts: { idle } }], { admin })
  }
  const file = configFile(t, text(60_000))
  const { io, ports } = await start(t, runServer, ['--config', file], { listeners: 1 })
  const url = `http://127.0.0.1:${portIn(await io.line(/ admin /))}/metrics`
  for (let i = 1; i <= 3; i++) {
    await reaches(t, ports[0] ?? 0, upstream)
    writeFileSync(file, text(60_000 + i))
    io.send(HANGUP)
    await io.line(/ reloaded /, i - 1)
    const metrics = await (await fetch(url)).text()
    for (const name of ['connections_accepted_total', 'connections_active']) {
      assert.ok(metrics.includes(`\nproxyprotocol_${name}{service="a"} ${i}\n`), metrics)
    }
  }
})

test('during readyDelay /readyz says 503 while connections are still accepted, and the program exits with 0', async t => {
  const upstream = await listen(t)
  const file = configFile(
    t,
    configuration([{ name: 'a', upstream: at(upstream) }], {
      admin: { listen: '127.0.0.1:0' },
      shutdown: { readyDelay: 1_500, drain: 20 },
    }),
  )
  const running = await start(t, runServer, ['--config', file], { listeners: 1 })
  const { io, ports } = running
  const url = `http://127.0.0.1:${portIn(await io.line(/ admin /))}/readyz`
  assert.equal((await fetch(url)).status, 200)
  const stopped = running.stop()
  await io.line(/ draining /)
  assert.equal((await fetch(url)).status, 503)
  await reaches(t, ports[0] ?? 0, upstream)
  assert.equal(await stopped, 0)
  assert.match(io.written.join(''), / stopped forced=1 stuck=0\n$/)
})
