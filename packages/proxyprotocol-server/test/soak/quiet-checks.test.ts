// What load balancers and port scanners do all day long: it leaves no trace, neither in the log nor in the process.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { encodeHeader, parseHeader } from 'proxyprotocol'
import { content } from 'test-support/sockets'
import { atOnce } from '../support/at-once.ts'
import { portIn, run } from '../support/child.ts'
import { dial, outcome } from '../support/connections.ts'
import { startUpstream } from '../support/upstream.ts'

const CHECKS = 1_000
/** Checks at the same time. */
const WIDTH = 100

/** How a check goes once it is connected. */
const kinds: Readonly<Record<'probes' | 'resets' | 'locals', (socket: Socket) => void>> = {
  probes: socket => socket.end(),
  resets: socket => socket.resetAndDestroy(),
  locals: socket => socket.end(encodeHeader({ command: 'LOCAL' })),
}

test(`${CHECKS} connections closed without a byte, ${CHECKS} reset and ${CHECKS} of LOCAL: no warning, no line that refuses, an upstream connection for LOCAL alone, and as many descriptors as before`, async t => {
  const commands = new Map<string, number>()
  const upstream = await startUpstream(t, socket => {
    void content(socket).then(bytes => {
      const { command } = parseHeader(bytes)
      commands.set(command, (commands.get(command) ?? 0) + 1)
      socket.end()
    })
  })
  const program = run(t, 'packages/proxyprotocol-server/bin/proxyprotocol-server.js', [
    ...['--trust', 'anyone', '--service', '127.0.0.1:0?pp=detect', `127.0.0.1:${upstream.port}`],
  ])
  const port = portIn(await program.line(/ listening /))
  async function check(kind: keyof typeof kinds): Promise<void> {
    const socket = dial(t, port)
    await once(socket, 'connect')
    const ended = outcome(socket)
    kinds[kind](socket)
    await ended
  }
  const closedLines = (): number => program.output().split(' closed ').length - 1
  const descriptors = (): number => readdirSync(`/proc/${program.pid}/fd`).length

  await check('locals') // whatever the process opens once, it has opened then
  await program.line(/ closed /)
  const before = descriptors()
  for (const kind of ['probes', 'resets', 'locals'] as const) {
    await atOnce(CHECKS, WIDTH, () => check(kind))
    assert.equal(upstream.accepted, kind === 'locals' ? 1 + CHECKS : 1, kind)
  }
  await program.until(() => closedLines() === CHECKS + 1)
  assert.deepEqual([...commands], [['LOCAL', CHECKS + 1]])
  await check('locals')
  await program.until(() => closedLines() === CHECKS + 2)
  assert.equal(descriptors(), before)
  assert.doesNotMatch(program.output(), / (rejected|failed) /)
  program.send('SIGTERM')
  assert.deepEqual(await program.ended, { code: 0, signal: null, errors: '' })
  assert.match(program.output(), / draining connections=0\n\S+ stopped forced=0 stuck=0\n$/)
})
