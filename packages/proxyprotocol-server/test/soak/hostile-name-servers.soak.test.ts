// A service asks a hostile name server about each of its clients, and another service of the same process goes on as before.

import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { encodeHeader } from 'proxyprotocol'
import { hostileKinds } from 'test-support/hostile-replies'
import { content } from 'test-support/sockets'
import { pathOf, portIn, run } from '../support/child.ts'
import { configFile } from '../support/config-file.ts'
import { soakSeconds } from '../support/soak-length.ts'
import { dial } from '../support/connections.ts'
import { atEnd } from '../support/teardown.ts'
import { echo, startUpstream } from '../support/upstream.ts'

const kinds = Object.keys(hostileKinds)
/** Of each kind: as many exchanges as tell a tenth less from chance. */
const SECONDS = Math.max(8, Math.floor(soakSeconds / kinds.length))
/** Clients a second whose address is looked up. */
const CLIENTS = 5
/** Milliseconds from one exchange of the other service to the next. */
const PAUSE = 50
const SHARE = 0.9

const destination = { address: '198.51.100.7', port: 443 }

/** Starts a name server of a kind in a process of its own. */
async function startNameServer(t: TestContext, kind: string): Promise<string> {
  const script = pathOf('packages/test-support/hostile-name-server-process.ts')
  const child = fork(script, [kind], { execArgv: ['--import', 'tsx'] })
  const ended = once(child, 'exit')
  const [address] = (await once(child, 'message')) as [string]
  atEnd(t, async () => {
    child.disconnect()
    await ended
  })
  return address
}

/** How many exchanges the second service does in that time, one after the other. */
async function exchanges(t: TestContext, nameServer: string): Promise<number> {
  const upstream = await startUpstream(t, echo)
  const to = `127.0.0.1:${upstream.port}?pp=noop`
  const dnsbl = { zones: ['bl.example'], servers: [nameServer] }
  const services = [
    { listen: '127.0.0.1:0?pp=detect', upstream: to, trust: ['127.0.0.1'], dnsbl },
    { listen: '127.0.0.1:0', upstream: to },
  ]
  const file = configFile(t, { services })
  const program = run(t, 'packages/proxyprotocol-server/bin/proxyprotocol-server.js', ['--config', file])
  const lines = (): string[] =>
    program
      .output()
      .split('\n')
      .filter(line => line.includes(' listening '))
  await program.until(() => lines().length === 2)
  const [asking = 0, other = 0] = lines().map(portIn)
  let client = 0
  const beat = setInterval(() => {
    client++
    const source = { address: `192.0.${client >> 8}.${client & 0xff}`, port: 56_324 }
    const socket = dial(t, asking)
    socket.write(encodeHeader({ source, destination }))
    socket.resume().end('hello')
  }, 1_000 / CLIENTS)
  let count = 0
  atEnd(t, () => clearInterval(beat))
  const end = performance.now() + SECONDS * 1_000
  while (performance.now() < end) {
    const pause = new Promise(resolve => setTimeout(resolve, PAUSE))
    const socket = dial(t, other)
    socket.end('hello')
    assert.equal((await content(socket)).toString(), 'hello')
    count++
    await pause
  }
  clearInterval(beat)
  program.send('SIGTERM')
  assert.equal((await program.ended).code, 0)
  return count
}

for (const kind of kinds) {
  test(`${SECONDS} s with ${CLIENTS} clients a second that are looked up at a name server that sends ${kind}: another service does at least ${100 * SHARE} % of the exchanges that it does beside a silent one`, async t => {
    const nameServers = await Promise.all(['silence', kind].map(each => startNameServer(t, each)))
    // At the same time, so that whatever else the machine does takes as much from both.
    const [silent = 0, hostile = 0] = await Promise.all(nameServers.map(each => exchanges(t, each)))
    t.diagnostic(`${hostile} exchanges, ${silent} beside silence`)
    assert.ok(hostile >= SHARE * silent, `${hostile} exchanges, ${silent} beside silence`)
  })
}
