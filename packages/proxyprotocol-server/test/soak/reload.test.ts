// A configuration that changes all the time, and is often wrong, under connections that come all the time: none of them fails.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { until } from 'test-support/sockets'
import { portIn, run } from '../support/child.ts'
import { configFile } from '../support/config-file.ts'
import { listen, outcome, type Listener } from '../support/connections.ts'

const PROGRAM = 'packages/proxyprotocol-server/bin/proxyprotocol-server.js'
/** Each takes some 100 ms with the connections between it and the next. */
const RELOADS = Math.max(30, Number(process.env['SOAK_SECONDS'] ?? 0) * 3)
const AT_ONCE = 8
/** Connections between two reloads, at least. */
const BETWEEN = 10

/** Half-open servers that send back what they get. */
async function echoes(t: TestContext): Promise<Listener> {
  const listener = await listen(t)
  const serve = async (): Promise<void> => {
    for (;;) {
      const socket = await listener.accept()
      socket.pipe(socket)
    }
  }
  void serve()
  return listener
}

/** Connects again and again until it is stopped; gives how each connection failed that did. */
function load(port: number): { count(): number; stop(): Promise<string[]> } {
  const failures: string[] = []
  let count = 0
  let stopped = false
  const worker = async (): Promise<void> => {
    while (!stopped) {
      const socket = connect({ port, host: '127.0.0.1' })
      socket.end(`hello ${count}`)
      const { bytes, fin, error } = await outcome(socket)
      count++
      if (!fin || !/^hello \d+$/.test(String(bytes))) failures.push(`${String(bytes)} ${error ?? 'no FIN'}`)
    }
  }
  const workers = Array.from({ length: AT_ONCE }, worker)
  return {
    count: () => count,
    stop: async () => {
      stopped = true
      await Promise.all(workers)
      return failures
    },
  }
}

test(`${RELOADS} reloads under load, every third of them wrong, at least ${BETWEEN} connections between two: not one fails`, async t => {
  const upstreams = [await echoes(t), await echoes(t)] as const
  const text = (i: number): string => {
    if (i % 3 === 2) return '{ "services": [] }'
    const upstream = `127.0.0.1:${upstreams[i % 2 === 0 ? 0 : 1].port}?pp=noop`
    const service = { name: 'a', listen: '127.0.0.1:0', upstream, timeouts: { idle: 60_000 + i } }
    return JSON.stringify({ services: [service], log: { quiet: true } })
  }
  const file = configFile(t, text(0))
  const child = run(t, PROGRAM, ['--config', file])
  const clients = load(portIn(await child.line(/ listening /)))
  const reloads = (): number => child.output().match(/ (?:reloaded|reload-failed) /g)?.length ?? 0
  for (let i = 1; i <= RELOADS; i++) {
    const served = clients.count()
    await until(() => clients.count() >= served + BETWEEN)
    writeFileSync(file, text(i))
    child.send('SIGHUP')
    await until(() => reloads() === i)
  }
  assert.deepEqual(await clients.stop(), [])
  child.send('SIGTERM')
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
  assert.equal(child.output().match(/ reload-failed /g)?.length, Math.floor((RELOADS + 1) / 3))
  assert.equal(
    child.output().match(/ reloaded added=0 changed=1 /g)?.length,
    RELOADS - Math.floor((RELOADS + 1) / 3),
  )
  for (const { accepted } of upstreams) assert.ok(accepted > RELOADS)
})
