// What a program does about workers that are not there; those that are, workers.test.ts has.

import assert from 'node:assert/strict'
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { test } from 'node:test'
import { WorkerGroup } from '../../../src/cli/workers/worker-group.ts'
import { deathsInARow, prepareWorkers, WorkerProcess } from '../../../src/cli/workers/worker-process.ts'
import { reportOf } from '../../../src/cli/workers/worker.ts'
import { parseConfig } from '../../../src/config/index.ts'
import type { Shown } from '../../../src/cli/services/index.ts'
import { portIn } from '../../support/child.ts'
import { liveConnection, processFigures, serviceFigures } from '../../support/figures.ts'
import { fakeIo } from '../../support/program.ts'
import { echo, startUpstream } from '../../support/upstream.ts'
import { open } from '../../support/workers.ts'

const configuration = parseConfig({
  services: [{ listen: '127.0.0.1:0', upstream: '127.0.0.1:1' }],
  workers: 2,
})

const options = { sockets: new Map(), ticketSecret: new Uint8Array(32) } as const

test('a configuration without a worker to try it is not taken', async () => {
  const io = fakeIo()
  const group = new WorkerGroup(io, configuration, options)
  const message = 'all workers are restarting; send SIGHUP again'
  await assert.rejects(group.change(configuration), { message })
  assert.equal(group.shown.readiness(), 'starting')
  await group.stop()
  await assert.rejects(group.change(configuration), { message: 'the program is ending' })
})

test('orders to a worker that is gone fail at once, and a fault of its channel is none of the program', async () => {
  prepareWorkers()
  const worker = new WorkerProcess(7, () => undefined)
  const [process] = Object.values(cluster.workers ?? {})
  process?.emit('error', new Error('the channel is closed'))
  worker.kill()
  assert.deepEqual(await worker.ended, { code: null, signal: 'SIGKILL', error: null })
  await assert.rejects(worker.ask({ type: 'renew' }), { message: 'worker 7 ended by SIGKILL' })
})

test('a worker that is late with a change does not live to make it; one that is late with a report does', async () => {
  prepareWorkers()
  const worker = new WorkerProcess(7, () => undefined)
  const late = { message: 'worker 7 did not answer' }
  await worker.ask({ type: 'serve', configuration, options })
  const pid = worker.pid ?? assert.fail()
  process.kill(pid, 'SIGSTOP')
  await assert.rejects(worker.ask({ type: 'report', listing: false }, 0), late)
  process.kill(pid, 'SIGCONT')
  assert.equal((await worker.ask({ type: 'report', listing: false })).readiness, 'ready')
  process.kill(pid, 'SIGSTOP')
  await assert.rejects(worker.ask({ type: 'change', configuration, isFirst: true }, 0), late)
  const error = 'it did not answer for 0 ms'
  assert.deepEqual(await worker.ended, { code: null, signal: 'SIGKILL', error })
})

test('a worker that is stopped while it drains is killed once it has sent nothing for 30 seconds; a line says why', async t => {
  const io = fakeIo()
  const group = new WorkerGroup(io, configuration, options)
  await group.start()
  const pid = Number(/ pid=(\d+)/.exec(await io.line(/ worker-started worker=2 /))?.[1])
  process.kill(pid, 'SIGSTOP')
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const firstEnd = once(cluster, 'exit')
  const closed = group.close()
  await firstEnd
  t.mock.timers.tick(30_000)
  await assert.rejects(closed, { message: 'worker 2 did not answer' })
  assert.match(
    await io.line(/ worker-ended /),
    new RegExp(` worker=2 pid=${pid} signal=SIGKILL error="it did not answer for 30000 ms"\n$`),
  )
  await group.stop()
})

test('a worker that drains for long and still answers is let finish', async t => {
  const upstream = await startUpstream(t, echo)
  const services = [{ listen: '127.0.0.1:0', upstream: `127.0.0.1:${upstream.port}?pp=noop` }]
  prepareWorkers()
  const lines: string[] = []
  const worker = new WorkerProcess(7, text => lines.push(text))
  await worker.ask({ type: 'serve', configuration: parseConfig({ services }), options })
  const socket = await open(t, portIn(lines.join('')))
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const drained = worker.ask({ type: 'drain' }, 30_000)
  for (let time = 0; time < 3; time++) {
    await worker.ask({ type: 'report', listing: false })
    t.mock.timers.tick(29_999)
  }
  socket.end()
  assert.deepEqual((await drained).result, { drained: 1, forced: 0, stuck: [] })
  await worker.ended
})

/** A worker's data, with endless connections of each service. */
const endless: Shown = {
  readiness: () => 'ready',
  services: () => [serviceFigures('a'), serviceFigures('b')],
  connections: function* () {
    for (;;) yield liveConnection()
  },
  refusals: () => [],
  lostLogLines: () => 0,
}

test('a worker lists at most 1,000 connections of all services together', async () => {
  const few: Shown = {
    ...endless,
    connections: service => (service === 'a' ? [liveConnection()] : endless.connections(service)),
  }
  const { connections } = await reportOf(few, processFigures, true)
  assert.deepEqual(
    [...(connections ?? [])].map(([service, { length }]) => [service, length]),
    [
      ['a', 1],
      ['b', 999],
    ],
  )
})

test('a worker reads no connection for a report without the listing', async () => {
  const unread: Shown = { ...endless, connections: () => assert.fail('it was read') }
  const { services, connections } = await reportOf(unread, processFigures, false)
  assert.deepEqual([services.length, connections], [2, undefined])
})

test('the deaths of a worker count in a row until one has lived for more than a minute', () => {
  assert.deepEqual([deathsInARow(undefined, 5), deathsInARow(1, 60_000), deathsInARow(7, 60_001)], [1, 2, 1])
})

test('a worker that a signal to all processes ends before it can ignore it is started again', async () => {
  const io = fakeIo()
  const group = new WorkerGroup(io, configuration, options)
  const forked = once(cluster, 'fork') as Promise<[Worker]>
  const started = group.start()
  const [first] = await forked
  first.process.kill('SIGTERM')
  await started
  assert.match(await io.line(/ worker-started worker=1 /), / worker-started worker=1 /)
  await group.stop()
})
