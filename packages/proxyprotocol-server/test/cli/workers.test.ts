// proxyprotocol-server --workers: several processes, which look like one from outside.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { atOnce } from '../support/at-once.ts'
import { certificateFiles, directory, otherCertificate } from '../support/certificates.ts'
import { pathOf, portIn, runCommand, type Child } from '../support/child.ts'
import { configFile } from '../support/config-file.ts'
import { ask } from '../support/http.ts'
import { dialSecure } from '../support/secure.ts'
import { chunk, content, dial, listen, outcome, until } from '../support/sockets.ts'
import { echo, startUpstream, type Upstream } from '../support/upstream.ts'

const PROGRAM = 'packages/proxyprotocol-server/bin/proxyprotocol-server.js'
const CONNECTIONS = 300
/** Lines of 300 bytes each: more than a pipe holds several times over, and less than the workers keep. */
const LOGGED = 2_000
/** Connections at the same time: more than one worker takes before the other has its turn. */
const WIDTH = 50

interface Program {
  readonly child: Child
  readonly port: number
  readonly adminPort: number
  /** The process of a worker, by the line about its start: the first of that number unless told otherwise. */
  readonly pid: (worker: number, which?: number) => Promise<number>
}

/** The program with two workers, and an admin listener, when all of it runs. */
async function startWorkers(t: TestContext, args: readonly string[]): Promise<Program> {
  const child = runCommand(t, [
    ...[process.execPath, pathOf(PROGRAM), '--workers', '2', '--admin', '127.0.0.1:0', ...args],
  ])
  const port = portIn(await child.line(/ listening /))
  const adminPort = portIn(await child.line(/ admin /))
  const starts = (worker: number): readonly string[] =>
    [...child.output().matchAll(new RegExp(` worker-started worker=${worker} pid=(\\d+)\n`, 'g'))].map(
      ([, pid = '']) => pid,
    )
  const pid = async (worker: number, which = 0): Promise<number> => {
    await child.until(() => starts(worker).length > which)
    return Number(starts(worker)[which])
  }
  await Promise.all([pid(1), pid(2)])
  while ((await ask(adminPort, '/readyz')).status !== 200);
  return { child, port, adminPort, pid }
}

function serviceTo({ port }: Pick<Upstream, 'port'>): readonly string[] {
  return ['--service', '127.0.0.1:0', `127.0.0.1:${port}?pp=noop`]
}

/** Connections whose bytes come back. */
async function serve(t: TestContext, port: number, count: number): Promise<void> {
  await atOnce(count, WIDTH, async n => {
    const text = `hello ${n}`
    assert.equal(String(await content(dial(t, port).end(text))), text)
  })
}

/** An open connection whose bytes have come back once. */
async function open(t: TestContext, port: number): Promise<Socket> {
  const socket = dial(t, port)
  socket.write('early')
  assert.equal(String(await chunk(socket)), 'early')
  return socket
}

/** The values of a metric, by their labels. */
async function metric(adminPort: number, name: string): Promise<Readonly<Record<string, number>>> {
  const { body } = await ask(adminPort, '/metrics')
  const values = body.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'))
  return Object.fromEntries([...values].map(([, labels = '', value]) => [labels, Number(value)]))
}

async function counted(adminPort: number, name: string): Promise<number> {
  return Object.values(await metric(adminPort, name)).reduce((sum, value) => sum + value, 0)
}

async function ready(adminPort: number): Promise<unknown> {
  const { status, body } = await ask(adminPort, '/readyz')
  return [status, (JSON.parse(body) as { status: string }).status]
}

async function endsWell(child: Child): Promise<void> {
  child.send('SIGTERM')
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
  assert.equal(child.isAlive(), false, 'a worker was left')
}

/** The lines about connections, whole ones. */
function closedLines(child: Child): readonly string[] {
  return child.output().match(/^\S+ closed id=\S+ .* reason=done .* ms=\S+$/gm) ?? []
}

test(`two workers serve ${CONNECTIONS} connections: one line for each, sums of all, and one line about listening`, async t => {
  const upstream = await startUpstream(t, echo)
  const { child, port, adminPort } = await startWorkers(t, serviceTo(upstream))
  assert.deepEqual(await ready(adminPort), [200, 'ready'])
  await serve(t, port, CONNECTIONS)
  await child.until(() => closedLines(child).length === CONNECTIONS)
  const ids = closedLines(child).map(line => / id=(\S+) /.exec(line)?.[1])
  assert.equal(new Set(ids).size, CONNECTIONS)
  assert.equal(await counted(adminPort, 'proxyprotocol_connections_accepted_total'), CONNECTIONS)
  assert.equal(await counted(adminPort, 'proxyprotocol_connections_active'), 0)
  assert.equal(await counted(adminPort, 'proxyprotocol_upstream_connections_total'), CONNECTIONS)
  const limit = Number(/ listening .* connections=(\d+) /.exec(child.output())?.[1])
  assert.equal(await counted(adminPort, 'proxyprotocol_connections_limit'), 2 * limit)
  assert.equal(child.output().match(/ listening /g)?.length, 1)
  await endsWell(child)
  assert.match(child.output(), / draining connections=0\n\S+ stopped forced=0 stuck=0\n$/)
})

test(`the lines of ${LOGGED} connections through two workers, to a pipe that is read late and little by little, are whole`, async t => {
  const upstream = await startUpstream(t, echo)
  const pipe = join(directory(t), 'log')
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0)
  const reader = runCommand(t, ['dd', `if=${pipe}`, 'bs=512', 'status=none'])
  const command = [process.execPath, pathOf(PROGRAM), '--workers', '2', ...serviceTo(upstream)]
  const program = runCommand(t, ['sh', '-c', 'exec "$@" >"$0"', pipe, ...command])
  const port = portIn(await reader.line(/ listening /))
  await reader.line(/ worker-started worker=2 /)
  reader.pause()
  await serve(t, port, LOGGED)
  reader.resume()
  await endsWell(program)
  await reader.ended
  const whole =
    /^\S+Z (?:closed id=[\w-]{36} service=\S+ .* reason=done .* ms=[\d.]+|(?!closed)[a-z-]+ [^=]+=.*)$/
  const lines = reader.output().split('\n')
  assert.deepEqual(
    lines.filter(line => line !== '' && !whole.test(line)),
    [],
  )
  assert.equal(closedLines(reader).length, LOGGED)
})

test('/stats.json lists the connections of all workers, the oldest first', async t => {
  const upstream = await startUpstream(t, echo)
  const { child, port, adminPort } = await startWorkers(t, serviceTo(upstream))
  const sockets = await Promise.all(Array.from({ length: 20 }, () => open(t, port)))
  const { body } = await ask(adminPort, '/stats.json')
  const {
    connections,
    process: facts,
    totals,
  } = JSON.parse(body) as {
    connections: { total: number; list: { age: number }[] }
    process: { pid: number; openFiles: number }
    totals: { active: number; bytesUp: number }
  }
  assert.deepEqual([connections.total, connections.list.length, totals.active], [20, 20, 20])
  const ages = connections.list.map(({ age }) => age)
  assert.deepEqual(
    ages,
    ages.toSorted((one, other) => other - one),
  )
  assert.equal(totals.bytesUp, 20 * 'early'.length)
  assert.equal(facts.pid, child.pid)
  assert.ok(facts.openFiles >= 40, 'the files of the workers are not among them')
  for (const socket of sockets) socket.end()
  await endsWell(child)
})

test('a worker that is killed is replaced, what it had counted stays, and nobody else notices', async t => {
  const upstream = await startUpstream(t, echo)
  const { child, port, adminPort, pid } = await startWorkers(t, serviceTo(upstream))
  const held = await Promise.all(Array.from({ length: 40 }, () => open(t, port)))
  const before = await metric(adminPort, 'proxyprotocol_connections_accepted_total')
  const cpu = await counted(adminPort, 'process_cpu_seconds_total')
  const killed = await pid(1)
  process.kill(killed, 'SIGKILL')
  const line = await child.line(/ worker-ended /)
  assert.match(line, new RegExp(` worker=1 pid=${killed} signal=SIGKILL$`))
  assert.deepEqual(await ready(adminPort), [200, 'ready'])
  assert.deepEqual(await metric(adminPort, 'proxyprotocol_connections_accepted_total'), before)
  assert.ok((await counted(adminPort, 'process_cpu_seconds_total')) >= cpu)
  const active = await counted(adminPort, 'proxyprotocol_connections_active')
  const closed = await metric(adminPort, 'proxyprotocol_connections_closed_total')
  assert.equal(active + (closed['service="127.0.0.1:0",reason="aborted"'] ?? 0), 40)
  assert.equal(upstream.sockets.size, active)
  await serve(t, port, CONNECTIONS) // while there is one, and when there are two again
  await pid(1, 1)
  await serve(t, port, CONNECTIONS)
  assert.equal(await counted(adminPort, 'proxyprotocol_connections_accepted_total'), 40 + 2 * CONNECTIONS)
  for (const socket of held) socket.end()
  await endsWell(child)
})

test('a worker that dies again and again is replaced after ever longer times', async t => {
  const upstream = await startUpstream(t, echo)
  const { child, pid } = await startWorkers(t, serviceTo(upstream))
  for (let time = 0; time < 3; time++) process.kill(await pid(2, time), 'SIGKILL')
  await pid(2, 3)
  const times = (event: string): readonly number[] =>
    [...child.output().matchAll(new RegExp(`^(\\S+) ${event} worker=2 `, 'gm'))].map(([, time = '']) =>
      Date.parse(time),
    )
  const [ends, starts] = [times('worker-ended'), times('worker-started')]
  for (const [i, end] of ends.entries()) assert.ok((starts[i + 1] ?? 0) - end >= 100 * 2 ** i)
  await endsWell(child)
})

test('SIGTERM to all processes, as a service manager sends it, lets the connections of all workers finish', async t => {
  const upstream = await startUpstream(t, echo)
  const { child, port, adminPort } = await startWorkers(t, serviceTo(upstream))
  const sockets = await Promise.all(Array.from({ length: 40 }, () => open(t, port)))
  child.send('SIGTERM', 'group')
  child.send('SIGHUP', 'group') // too late for it to matter
  await child.line(/ draining connections=40$/)
  assert.deepEqual(await ready(adminPort), [503, 'draining'])
  for (const socket of sockets) {
    socket.end('late')
    assert.equal(String(await content(socket)), 'late')
  }
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
  assert.match(child.output(), / stopped forced=0 stuck=0\n$/)
  assert.equal(closedLines(child).length, 40)
  assert.equal(child.isAlive(), false, 'a worker was left')
})

test('connections that are left at the deadline are reset, whichever worker has them', async t => {
  const upstream = await startUpstream(t, echo)
  const { child, port } = await startWorkers(t, [...serviceTo(upstream), '--drain', '0'])
  const sockets = await Promise.all(Array.from({ length: 10 }, () => open(t, port)))
  const ends = sockets.map(outcome)
  child.send('SIGINT')
  for (const { error } of await Promise.all(ends)) assert.equal(error, 'ECONNRESET')
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
  assert.match(child.output(), / stopped forced=10 stuck=0\n$/)
})

test('a second signal ends all of it at once, with 1', async t => {
  const upstream = await startUpstream(t, echo)
  const { child, port } = await startWorkers(t, serviceTo(upstream))
  await open(t, port)
  child.send('SIGTERM')
  await child.line(/ draining connections=1$/)
  child.send('SIGINT')
  assert.deepEqual(await child.ended, { code: 1, signal: null, errors: '' })
  await until(() => !child.isAlive())
})

test('workers whose program is gone end', async t => {
  const upstream = await startUpstream(t, echo)
  const { child } = await startWorkers(t, serviceTo(upstream))
  child.send('SIGKILL')
  assert.equal((await child.ended).signal, 'SIGKILL')
  await until(() => !child.isAlive())
})

test('a worker that is lost while it drains makes the exit code 1, and the others have their time', async t => {
  const upstream = await startUpstream(t, echo)
  const { child, port, adminPort, pid } = await startWorkers(t, serviceTo(upstream))
  const sockets = await Promise.all(Array.from({ length: 20 }, () => open(t, port)))
  child.send('SIGTERM')
  await child.line(/ draining connections=20$/)
  process.kill(await pid(2), 'SIGKILL')
  await child.line(/ worker-ended worker=2 /)
  const left = await counted(adminPort, 'proxyprotocol_connections_active')
  for (const socket of sockets) socket.end()
  const { code, errors } = await child.ended
  assert.deepEqual([code, errors], [1, 'error: worker 2 ended by SIGKILL\n'])
  assert.equal(closedLines(child).length, left)
})

test('SIGHUP changes all workers, or none where the configuration is wrong', async t => {
  const [one, two] = [await startUpstream(t, echo), await startUpstream(t, echo)]
  const taken = await listen(t)
  const service = { name: 'web', listen: '127.0.0.1:0' }
  const configuration = (upstream: Upstream, rest: object = {}): string =>
    JSON.stringify({ services: [{ ...service, upstream: `127.0.0.1:${upstream.port}?pp=noop` }], ...rest })
  const file = configFile(t, configuration(one))
  const { child, port } = await startWorkers(t, ['--config', file])
  const wrong: [text: string, error: RegExp][] = [
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

test('what is settled at the start is refused by name at a reload', async t => {
  const service = { listen: '127.0.0.1:0', upstream: '127.0.0.1:1' }
  const file = configFile(t, { services: [service], workers: 2 })
  const child = runCommand(t, [process.execPath, pathOf(PROGRAM), '--config', file])
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
  await child.line(/ reloaded added=0 changed=1 /)
  process.kill(stopped, 'SIGKILL')
  await pid(2, 1)
  await serve(t, port, CONNECTIONS)
  assert.deepEqual([one.accepted, two.accepted], [0, CONNECTIONS])
  await endsWell(child)
})

test('/metrics answers with what a worker last said that does not answer any more', async t => {
  const upstream = await startUpstream(t, echo)
  const { child, port, adminPort, pid } = await startWorkers(t, serviceTo(upstream))
  await serve(t, port, 10)
  assert.equal(await counted(adminPort, 'proxyprotocol_connections_accepted_total'), 10)
  process.kill(await pid(1), 'SIGSTOP')
  assert.equal(await counted(adminPort, 'proxyprotocol_connections_accepted_total'), 10)
  process.kill(await pid(1), 'SIGCONT')
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
    runCommand(t, [
      ...[process.execPath, pathOf(PROGRAM), '--workers', '2', '--service', service, '127.0.0.1:1'],
    ])
  const [taken, unread] = [start(`127.0.0.1:${port}`), start(source)]
  const { code, errors } = await taken.ended
  assert.deepEqual([code, errors], [1, `error: bind EADDRINUSE 127.0.0.1:${port}\n`])
  const { code: wrong, errors: why } = await unread.ended
  assert.equal(wrong, 2)
  assert.match(why, /^error: .*cert\.pem/)
  assert.deepEqual([taken.output(), unread.output()], ['', ''])
  assert.deepEqual([taken.isAlive(), unread.isAlive()], [false, false])
})

async function nameAt(t: TestContext, port: number): Promise<unknown> {
  const { secure } = dialSecure(t, port, { rejectUnauthorized: false })
  await once(secure, 'secureConnect')
  const { CN } = secure.getPeerCertificate().subject
  secure.destroy()
  return CN
}
