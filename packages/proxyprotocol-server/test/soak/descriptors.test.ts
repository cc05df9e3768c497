// More clients than the process may have files open, by ulimit: it turns some away, and stays.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { Agent } from 'node:http'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setInterval } from 'node:timers/promises'
import { content, until } from 'test-support/sockets'
import { atOnce } from '../support/at-once.ts'
import { pathOf, portIn, runCommand, type Child } from '../support/child.ts'
import { ask } from '../support/http.ts'
import { startRemoteRelay } from '../support/remote-server.ts'
import { dial } from '../support/connections.ts'
import { atEnd } from '../support/teardown.ts'
import { echo, startUpstream, type Upstream } from '../support/upstream.ts'

const OPEN_FILES = 256
const CONNECTS = 1_000
/** Connects at the same time. */
const WIDTH = 100
/** Clients that are served before and during. */
const GOOD = 20
/** More than there can be. */
const UNLIMITED = 10_000
/** Milliseconds for whatever is waited for. */
const DEADLINE = 10_000
/** Milliseconds between two looks at the admin listener. */
const SCRAPE_INTERVAL = 100

/** The client's message comes back: the relay has accepted it, and has connected it. */
async function serves(socket: Socket, message: string): Promise<void> {
  const answer = once(socket, 'data', { signal: AbortSignal.timeout(DEADLINE) }) as Promise<[Buffer]>
  socket.write(message)
  const [bytes] = await answer
  assert.equal(bytes.toString(), message)
}

/**
 * 1,000 connects that stay as long as they are let, beside clients that are open already and are served all along.
 *
 * @param whileFull called when no other connect gets in.
 */
async function storm(
  t: TestContext,
  port: number,
  upstream: Upstream,
  whileFull: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const good = Array.from({ length: GOOD }, () => dial(t, port))
  for (const [n, socket] of good.entries()) await serves(socket, `before ${n}`)
  const waiting = new Set<Socket>()
  let refused = 0
  await atOnce(CONNECTS, WIDTH, async () => {
    const socket = dial(t, port).resume()
    waiting.add(socket)
    socket
      .on('end', () => socket.destroy())
      .on('close', () => {
        if (waiting.delete(socket)) refused++
      })
    await new Promise(resolve => socket.once('connect', resolve).once('close', resolve))
  })
  for (const [n, socket] of good.entries()) await serves(socket, `during ${n}`)
  assert.ok(refused > 0, 'the limit was never met')
  assert.ok(upstream.accepted <= OPEN_FILES / 2)
  await whileFull()
  for (const socket of waiting) {
    waiting.delete(socket)
    socket.destroy()
  }
  for (const socket of good) {
    socket.end('bye')
    assert.equal((await content(socket)).toString(), 'bye')
  }
}

/** Opens as many connections as it likes to have, and has them served, when the storm is over. */
async function servesAfter(t: TestContext, port: number): Promise<void> {
  await atOnce(GOOD, GOOD, async n => {
    const socket = dial(t, port)
    await serves(socket, `after ${n}`)
    socket.end()
    assert.equal((await content(socket)).length, 0)
  })
}

interface Program {
  readonly child: Child
  /** What it says of its listener. */
  readonly listening: string
  readonly port: number
  readonly admin: number
  readonly descriptors: () => number
}

/** The program under the limit, with an admin listener. */
async function startProgram(t: TestContext, upstream: Upstream, args: readonly string[]): Promise<Program> {
  const program = pathOf('packages/proxyprotocol-server/bin/proxyprotocol-server.js')
  const child = runCommand(t, [
    ...['sh', '-c', `ulimit -n ${OPEN_FILES}; exec "$@"`, 'sh', process.execPath, program, ...args],
    ...['--admin', '127.0.0.1:0', '--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}?pp=noop`],
  ])
  const listening = await child.line(/ listening /)
  const descriptors = (): number => readdirSync(`/proc/${child.pid}/fd`).length
  return {
    child,
    listening,
    port: portIn(listening),
    admin: portIn(await child.line(/ admin /)),
    descriptors,
  }
}

async function answers(port: number, path: string, agent: Agent | false): Promise<void> {
  const { status, body } = await ask(port, path, { agent, signal: AbortSignal.timeout(DEADLINE) })
  assert.equal(status, 200, body)
}

/** Asks the admin listener again and again, until it is stopped, which rejects when an answer was missing. */
async function scrape(t: TestContext, port: number, agent: Agent | false): Promise<() => Promise<void>> {
  let stopped = false
  async function run(): Promise<void> {
    for await (const paths of setInterval(SCRAPE_INTERVAL, ['/livez', '/metrics', '/stats.json'])) {
      if (stopped) return
      for (const path of paths) await answers(port, path, agent)
    }
  }
  const stop = (): Promise<void> => {
    stopped = true
    return running
  }
  await answers(port, '/livez', agent)
  const running = run()
  running.catch(() => {}) // until it is stopped
  atEnd(t, () => stop().catch(() => {}))
  return stop
}

/** It has let go of all that came, and serves clients and scrapers as before. */
async function recovers(
  t: TestContext,
  { child, port, admin, descriptors }: Program,
  before: number,
): Promise<void> {
  const late = AbortSignal.timeout(DEADLINE)
  await until(() => late.aborted || descriptors() === before)
  assert.equal(descriptors(), before)
  await servesAfter(t, port)
  await answers(admin, '/metrics', false)
  child.send('SIGTERM')
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
}

test(`ulimit -n ${OPEN_FILES}: the program serves ${GOOD} clients through ${CONNECTS} connects, refuses those over its limit, and serves ${GOOD} others afterwards; each request to its admin listener every ${SCRAPE_INTERVAL} ms has each answer within ${DEADLINE} ms`, async t => {
  const upstream = await startUpstream(t, echo)
  const program = await startProgram(t, upstream, [])
  assert.match(program.listening, / connections=96 /)
  const before = program.descriptors()
  const stop = await scrape(t, program.admin, false)
  await storm(t, program.port, upstream)
  await stop()
  await recovers(t, program, before)
  assert.match(program.child.output(), / reason=limit_connections /)
})

test(`ulimit -n ${OPEN_FILES}: the program that is allowed more connections than it can have serves ${GOOD} clients through ${CONNECTS} connects that take its last descriptor, and ${GOOD} others afterwards; a client of its admin listener from before has each answer within ${DEADLINE} ms, every ${SCRAPE_INTERVAL} ms, and the status page`, async t => {
  const upstream = await startUpstream(t, echo)
  const program = await startProgram(t, upstream, ['--max-connections', `${UNLIMITED}`])
  const before = program.descriptors()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  atEnd(t, () => agent.destroy())
  const stop = await scrape(t, program.admin, agent)
  await storm(t, program.port, upstream, async () => {
    assert.ok(program.descriptors() >= OPEN_FILES - 1, 'a connection that is let in takes two')
    for (const path of ['/metrics', '/stats.json', '/']) await answers(program.admin, path, agent)
  })
  await stop()
  agent.destroy()
  await recovers(t, program, before)
})

test(`ulimit -n ${OPEN_FILES}: a relay that is allowed more connections than it can have serves ${GOOD} clients through ${CONNECTS} connects that take its last descriptor, and ${GOOD} others afterwards`, async t => {
  const upstream = await startUpstream(t, echo)
  const settings = { upstream: `127.0.0.1:${upstream.port}?pp=noop`, limits: { connections: UNLIMITED } }
  const relay = await startRemoteRelay(t, settings, OPEN_FILES)
  const before = await relay.collected()
  await storm(t, relay.port, upstream)
  await relay.reached(({ stats: { active } }) => active === 0)
  const after = await relay.collected()
  assert.ok(after.descriptors <= before.descriptors, `${before.descriptors} and then ${after.descriptors}`)
  await servesAfter(t, relay.port)
})
