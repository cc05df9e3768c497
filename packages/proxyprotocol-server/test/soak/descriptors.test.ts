// More clients than the process may have files open, by ulimit: it turns some away, and stays.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { atOnce } from '../support/at-once.ts'
import { pathOf, portIn, runCommand } from '../support/child.ts'
import { startRemoteRelay } from '../support/remote-server.ts'
import { chunk, content, dial, until } from '../support/sockets.ts'
import { echo, startUpstream, type Upstream } from '../support/upstream.ts'

const OPEN_FILES = 256
const CONNECTS = 1_000
/** Connects at the same time. */
const WIDTH = 100
/** Clients that are served before and during. */
const GOOD = 20
/** More than there can be. */
const UNLIMITED = 10_000

/** The client's message comes back: the relay has accepted it, and has connected it. */
async function serves(socket: Socket, message: string): Promise<void> {
  socket.write(message)
  assert.equal((await chunk(socket)).toString(), message)
}

/** 1,000 connects that stay as long as they are let, beside clients that are open already and are served all along. */
async function storm(t: TestContext, port: number, upstream: Upstream): Promise<void> {
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
    await Promise.race([once(socket, 'connect'), once(socket, 'close')])
  })
  for (const [n, socket] of good.entries()) await serves(socket, `during ${n}`)
  assert.ok(refused > 0, 'the limit was never met')
  assert.ok(upstream.accepted <= OPEN_FILES / 2)
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

test(`ulimit -n ${OPEN_FILES}: the program serves ${GOOD} clients through ${CONNECTS} connects, refuses those over its limit, and serves ${GOOD} others afterwards`, async t => {
  const upstream = await startUpstream(t, echo)
  const program = pathOf('packages/proxyprotocol-server/bin/proxyprotocol-server.js')
  const args = ['--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}?pp=noop`]
  const child = runCommand(t, [
    ...['sh', '-c', `ulimit -n ${OPEN_FILES}; exec "$@"`, 'sh', process.execPath, program, ...args],
  ])
  const listening = await child.line(/ listening /)
  assert.match(listening, / connections=96 /)
  const descriptors = (): number => readdirSync(`/proc/${child.pid}/fd`).length
  const before = descriptors()
  await storm(t, portIn(listening), upstream)
  await until(() => descriptors() === before)
  await servesAfter(t, portIn(listening))
  child.send('SIGTERM')
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
  assert.match(child.output(), / reason=limit_connections /)
})

test(`ulimit -n ${OPEN_FILES}: a relay that is allowed more connections than it can have serves ${GOOD} clients through ${CONNECTS} connects that take its last descriptor, and ${GOOD} others afterwards`, async t => {
  const upstream = await startUpstream(t, echo)
  const settings = { upstream: `127.0.0.1:${upstream.port}?pp=noop`, limits: { connections: UNLIMITED } }
  const relay = await startRemoteRelay(t, settings, OPEN_FILES)
  const before = await relay.health()
  await storm(t, relay.port, upstream)
  const after = await relay.reached(({ stats: { active } }) => active === 0)
  assert.equal(after.descriptors, before.descriptors)
  await servesAfter(t, relay.port)
})
