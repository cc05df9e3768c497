// How many connections wait for a program that is busy: it stands still here, by SIGSTOP, and the kernel alone answers.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { connectedAtOnce, most } from 'test-support/burst'
import { ConfigError, parseConfig } from '../../src/config/index.ts'
import { refuseWithoutRestart } from '../../src/cli/services/running-configuration.ts'
import { pathOf, portIn, runCommand, type Child } from '../support/child.ts'
import { dial, outcome } from '../support/connections.ts'
import { atEnd } from '../support/teardown.ts'
import { echo, startUpstream } from '../support/upstream.ts'

const RELAY = `'${process.execPath}' '${pathOf('packages/proxyprotocol-server/bin/proxyprotocol-server.js')}'`

/** A program that is stopped as soon as it has written a line, and goes on at the test's end. */
async function stopped(
  t: TestContext,
  script: string,
  [line, ...fds]: readonly [RegExp, ...number[]],
): Promise<Child> {
  const variables = { LISTEN_FDS: String(fds.length) }
  const child = runCommand(t, ['sh', '-c', `LISTEN_PID=$$ exec ${RELAY} ${script}`], variables, fds)
  await child.line(line)
  child.send('SIGSTOP', 'group')
  return child
}

for (const [what, args, line, expected] of [
  ['one process', '', / listening /, most()],
  ['two workers', '--workers 2', / worker-started worker=2 /, most()],
  ['a backlog of 16', '--backlog 16', / listening /, 17],
] as const) {
  test(`${what}: ${expected} connections at once wait for a relay that is busy`, async t => {
    const child = await stopped(t, `--service 127.0.0.1:0 127.0.0.1:1 ${args}`, [line])
    const port = portIn(await child.line(/ listening /))
    assert.equal(connectedAtOnce({ port, host: '127.0.0.1' }), expected)
  })
}

test('SIGTERM serves the clients that wait for a relay that is busy', async t => {
  const upstream = await startUpstream(t, echo)
  const child = await stopped(t, `--service 127.0.0.1:0 127.0.0.1:${upstream.port}?pp=noop`, [/ listening /])
  const port = portIn(child.output())
  const clients = Array.from({ length: 100 }, () => dial(t, port).end('hello'))
  await Promise.all(clients.map(client => once(client, 'connect')))
  const outcomes = clients.map(outcome)
  child.send('SIGTERM', 'group')
  child.send('SIGCONT', 'group')
  for (const { bytes, fin } of await Promise.all(outcomes))
    assert.deepEqual([String(bytes), fin], ['hello', true])
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
})

test(`a socket that was passed with a backlog of 8 lets ${most()} connections wait, as its service says`, async t => {
  const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 8 })
  await once(server, 'listening')
  atEnd(t, () => server.close())
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle // spawn() wants the number
  const { port } = server.address() as AddressInfo
  await stopped(t, `--service 127.0.0.1:${port} 127.0.0.1:1`, [/ listening /, fd])
  assert.equal(connectedAtOnce({ port, host: '127.0.0.1' }), most())
})

test('a reload that wants another backlog or family for a socket that stays is refused', () => {
  const at = (listen: string, backlog: number): object => ({ listen, backlog, upstream: '192.0.2.1:80' })
  const all = (...services: object[]): ReturnType<typeof parseConfig> => parseConfig({ services })
  const now = all(at(':0', 1), at(':0', 2), at('[::]:80', 3))
  refuseWithoutRestart(now, now)
  refuseWithoutRestart(now, all(at(':0', 1), at('127.0.0.1:80', 9)))
  assert.throws(
    () => refuseWithoutRestart(now, all(at(':0', 1), at(':0', 3))),
    new ConfigError(
      'service ":0#2": backlog must be 2 as long as its socket is open, got 3; restart the program',
    ),
  )
  assert.throws(
    () => refuseWithoutRestart(now, all(at('[::]:80', 3), at('0.0.0.0:80', 3))),
    new ConfigError(
      'service "[::]:80": ipv6Only must be false as long as its socket is open, got true; restart the program',
    ),
  )
})
