// proxyprotocol/register attaches to the servers of a program from outside; what is wrong ends it before its first line.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { closedPort } from 'test-support/sockets'

const register = new URL('../../../src/server/attach/register.ts', import.meta.url).href
const server = new URL('../../../src/server/index.ts', import.meta.url).href
const tsx = import.meta.resolve('tsx')
/** As it is built, for workers: tsx does not reach them on Node 20. */
const built = import.meta.resolve('proxyprotocol/register')
const SOURCE = '192.0.2.1'

/** What every program of these tests has: a server that answers with the address of its client, and a way to ask it. */
const prelude = `
  import cluster from 'node:cluster'
  import http from 'node:http'
  import net from 'node:net'
  import { Worker, isMainThread } from 'node:worker_threads'
  const listen = (where, server = http.createServer(answer)) =>
    new Promise(resolve => server.listen(where, () => resolve(server.address().port ?? where)))
  const answer = ({ socket }, response) => response.end(String(socket.remoteAddress))
  const ask = (where, header = 'PROXY TCP4 ${SOURCE} 198.51.100.7 1 2\\r\\n') => new Promise(resolve => {
    const socket = net.connect(where).on('error', () => {})
    let said = ''
    socket.end(header + 'GET / HTTP/1.0\\r\\n\\r\\n')
    socket.on('data', data => (said += data)).on('close', () => resolve(said.split('\\r\\n\\r\\n')[1] ?? 'refused'))
  })
  const show = (...texts) => process.stdout.write(texts.join(' ') + '\\n')
`

interface Ran {
  readonly code: number | null
  readonly out: readonly string[]
  readonly err: readonly string[]
}

interface Run {
  readonly trust?: string
  readonly ports?: string
  readonly version?: string
  /** Modules to import before. */
  readonly before?: readonly string[]
  readonly commonJs?: boolean
  readonly inNodeOptions?: boolean
  readonly isBuilt?: boolean
}

/** Runs a program under register, by default with all ports, and gives what it printed without register's own prefix. */
async function run(t: TestContext, program: string, options: Run = {}): Promise<Ran> {
  const { trust = '127.0.0.1,unix', ports = 'all', version, before = [], commonJs = false } = options
  const folder = mkdtempSync(join(tmpdir(), 'proxyprotocol-'))
  t.after(() => {
    rmSync(folder, { recursive: true })
  })
  const file = join(folder, commonJs ? 'app.cjs' : 'app.mjs')
  const required = prelude.replaceAll(/import (.*?) from (.*)/g, 'const $1 = require($2)')
  writeFileSync(file, (commonJs ? required : prelude) + program)
  const modules = options.isBuilt ? [built] : [tsx, ...before, register]
  const flags = modules.flatMap(module => ['--import', module])
  const variables = { PROXYPROTOCOL_TRUST: trust, PROXYPROTOCOL_PORTS: ports, PROXYPROTOCOL_VERSION: version }
  const given = Object.entries(variables).filter(([, value]) => value !== undefined && value !== '-')
  const nodeOptions = options.inNodeOptions ? { NODE_OPTIONS: flags.join(' ') } : {}
  const child = spawn(process.execPath, options.inNodeOptions ? [file] : [...flags, file], {
    env: {
      ...process.env,
      NODE_NO_WARNINGS: '1',
      FOLDER: folder,
      ...Object.fromEntries(given),
      ...nodeOptions,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit') as Promise<[number | null]>
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exited])
  const lines = (all: string): string[] => all.split('\n').filter(line => line !== '')
  return { code, out: lines(out), err: lines(err).map(line => line.replace('proxyprotocol/register: ', '')) }
}

function attached(place: string | number): string {
  return `the server on ${typeof place === 'number' ? `127.0.0.1:${place}` : place} reads headers of 127.0.0.1,unix`
}

for (const [name, options, message] of [
  ['no trust', { trust: '-' }, "PROXYPROTOCOL_TRUST must be CIDRs with commas, or 'anyone', got none"],
  [
    'wrong ports',
    { ports: '80-' },
    `PROXYPROTOCOL_PORTS must be ports as in 8080,9000-9010, or 'all', got "80-"`,
  ],
] as const) {
  test(`register ends a program with ${name} by code 2 and one line, before its first line`, async t => {
    const { code, out, err } = await run(t, "show('first line')", options)
    assert.deepEqual([code, out, err], [2, [], [message]])
  })
}

for (const commonJs of [false, true]) {
  test(`register attaches to the servers of a program in ${commonJs ? 'CommonJS' : 'ESM'}, and says so`, async t => {
    const program = `
      listen({ port: 0, host: '127.0.0.1' }).then(async port => {
        show(port, await ask(port), await ask(port, ''))
        process.exit()
      })`
    const { code, out, err } = await run(t, program, { commonJs })
    const [port, ...answers] = (out[0] ?? '').split(' ')
    assert.deepEqual([code, answers, err], [0, [SOURCE, 'refused'], [attached(Number(port))]])
  })
}

test('register attaches on the ports of its list alone, and reports those that were silent at exit', async t => {
  const port = await closedPort()
  const program = `
    await listen(${port})
    const other = await listen({ port: 0, host: '127.0.0.1' })
    show(await ask(${port}), await ask(other, ''))
    process.exit()`
  const { out, err } = await run(t, program, { ports: `${port}, 1-2 ,3`, trust: 'anyone' })
  assert.deepEqual(out, [`${SOURCE} 127.0.0.1`])
  assert.deepEqual(err, [
    `the server on [::]:${port} reads headers of anyone`,
    'no server has listened on 1-2, 3',
  ])
})

test('register takes any port of a range, and obeys the version', async t => {
  const port = await closedPort()
  const program = `
    await listen({ port: ${port}, host: '127.0.0.1' })
    show(await ask(${port}))
    process.exit()`
  const { out, err } = await run(t, program, { ports: `${port - 1}-${port}`, version: 'v2' })
  assert.deepEqual([out, err], [['refused'], [attached(port)]])
})

test('register says nothing in a process in which no server listens on a port', async t => {
  const program = `
    await listen({ path: process.env.FOLDER + '/socket' })
    process.exit()`
  assert.deepEqual((await run(t, program, { ports: '1' })).err, [])
})

test('register attaches to UNIX sockets only for all ports and with unix in its trust', async t => {
  const program = `
    const path = process.env.FOLDER + '/socket'
    await listen({ path })
    show(path, await ask({ path }, ''))
    process.exit()`
  const { out, err } = await run(t, program)
  const [path = '', answer] = (out[0] ?? '').split(' ')
  assert.deepEqual([answer, err], ['refused', [attached(path)]])
  const direct = await run(t, program, { trust: '127.0.0.1' })
  assert.deepEqual([direct.out[0]?.endsWith(' undefined'), direct.err], [true, []])
})

test('register leaves servers alone that read headers already: those of attach(), createServer() and front()', async t => {
  const program = `
    const { attach, createServer, front } = await import(${JSON.stringify(server)})
    const trust = ['127.0.0.1']
    const own = attach(http.createServer(answer), { trust })
    await listen({ port: 0, host: '127.0.0.1' }, own)
    const created = createServer({ trust }, ({ socket }) => void socket.end('HTTP/1.0 200 OK\\r\\n\\r\\n' + socket.remoteAddress))
    const fronted = front(http.createServer(answer), { trust })
    const places = [own.address(), await created.listen(0, '127.0.0.1'), await fronted.listen(0, '127.0.0.1')]
    show(...(await Promise.all(places.map(({ port }) => ask(port)))))
    process.exit()`
  const { out, err } = await run(t, program)
  assert.deepEqual([out, err], [[`${SOURCE} ${SOURCE} ${SOURCE}`], []])
})

test('register attaches in the workers of node:cluster, and leaves the primary alone', async t => {
  const program = `
    if (cluster.isPrimary) {
      const workers = [cluster.fork(), cluster.fork()]
      const ports = await Promise.all(workers.map(worker => new Promise(resolve => worker.once('message', resolve))))
      show(ports[0], await ask(ports[0]), await ask(ports[1]))
      for (const worker of workers) worker.kill()
    } else {
      process.send(await listen({ port: 0, host: '127.0.0.1' }))
    }`
  const { code, out, err } = await run(t, program)
  const [port, ...answers] = (out[0] ?? '').split(' ')
  assert.deepEqual(
    [code, answers, err],
    [0, [SOURCE, SOURCE], [attached(Number(port)), attached(Number(port))]],
  )
})

test('register attaches in worker_threads, also those with an environment of their own', async t => {
  const program = `
    if (isMainThread) {
      for (const env of [process.env, {}]) await new Promise(resolve => new Worker(new URL(import.meta.url), { env }).once('exit', resolve))
    } else {
      const port = await listen({ port: 0, host: '127.0.0.1' })
      show(await ask(port))
      process.exit()
    }`
  const { out, err } = await run(t, program, { isBuilt: true })
  assert.deepEqual([out, err.length], [[SOURCE, SOURCE], 2])
})

test('register works by NODE_OPTIONS, which children inherit, and a child without servers is silent', async t => {
  const program = `
    import { execFileSync } from 'node:child_process'
    const program = "console.log('child')"
    process.stdout.write(execFileSync(process.execPath, ['--eval', program]))
    const port = await listen({ port: 0, host: '127.0.0.1' })
    show(await ask(port, ''))
    process.exit()`
  const { out, err } = await run(t, program, { inNodeOptions: true, ports: '1' })
  assert.deepEqual([out, err], [['child', '127.0.0.1'], ['no server has listened on 1']])
})

test('register ends the program where the runtime does not announce servers, as Bun', async t => {
  const before = [
    "data:text/javascript,import net from 'node:net'; net.Server.prototype.listen = function () { return this }",
  ]
  const { code, out, err } = await run(t, "show('first line')", { before: before.map(encodeURI) })
  const message = 'this runtime does not announce its servers; call attach() or front() in the program'
  assert.deepEqual([code, out, err], [2, [], [message]])
})

test('register says on Deno what it does not reach', async t => {
  const before = [
    "data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, deno: '2' } })",
  ]
  const { err } = await run(t, '', { before: before.map(encodeURI) })
  assert.deepEqual(err, ['servers of Deno.serve() read no headers, those of node:net, http and so on do'])
})

test('register lets a program go on whose stderr is gone', async t => {
  const program = `
    import { closeSync } from 'node:fs'
    closeSync(2)
    const port = await listen({ port: 0, host: '127.0.0.1' })
    show(await ask(port))
    process.exit()`
  assert.deepEqual(await run(t, program), { code: 0, out: [SOURCE], err: [] })
})
