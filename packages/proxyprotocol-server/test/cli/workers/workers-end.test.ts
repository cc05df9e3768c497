// proxyprotocol-server --workers: how all of them end.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { content, until } from 'test-support/sockets'
import { runCommand } from '../../support/child.ts'
import { outcome } from '../../support/connections.ts'
import { echo, startUpstream } from '../../support/upstream.ts'
import { closedLines, counted, open, PROGRAM, ready, serviceTo, startWorkers } from '../../support/workers.ts'

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
  await until(() => !child.isAlive())
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

test('SIGTERM and SIGHUP to all processes while workers start end the program with 0, after a drain', async t => {
  const upstream = await startUpstream(t, echo)
  const child = runCommand(t, [...PROGRAM, '--workers', '3', ...serviceTo(upstream)])
  await child.line(/ worker-started worker=1 /) // the others begin just now, and cannot ignore a signal yet
  child.send('SIGHUP', 'group')
  child.send('SIGTERM', 'group')
  assert.deepEqual(await child.ended, { code: 0, signal: null, errors: '' })
  assert.match(child.output(), / stopped forced=0 stuck=0\n$/)
  await until(() => !child.isAlive())
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
