// What a program does about workers that are not there; those that are, workers.test.ts has.

import assert from 'node:assert/strict'
import cluster from 'node:cluster'
import { test } from 'node:test'
import { deathsInARow, WorkerGroup } from '../../src/cli/worker-group.ts'
import { prepareWorkers, WorkerProcess } from '../../src/cli/worker-process.ts'
import { firstOf } from '../../src/cli/worker.ts'
import { parseConfig } from '../../src/config/index.ts'
import { fakeIo } from '../support/program.ts'

const configuration = parseConfig({
  services: [{ listen: '127.0.0.1:0', upstream: '127.0.0.1:1' }],
  workers: 2,
})

test('a configuration without a worker to try it is not taken', async () => {
  const io = fakeIo()
  const group = new WorkerGroup(io, configuration, new Map())
  await group.reload(() => configuration)
  assert.match(
    io.written.join(''),
    / reload-failed error="there is no worker just now; send SIGHUP again"\n$/,
  )
  assert.equal(group.shown.readiness(), 'starting')
  await group.stop()
  await group.reload(() => configuration)
  assert.equal(io.written.length, 1, 'it is over, and says no more')
})

test('orders to a worker that is gone fail at once, and a fault of its channel is none of the program', async () => {
  prepareWorkers()
  const worker = new WorkerProcess(7, () => undefined)
  const [process] = Object.values(cluster.workers ?? {})
  process?.emit('error', new Error('the channel is closed'))
  worker.kill()
  assert.deepEqual(await worker.ended, { code: null, signal: 'SIGKILL' })
  await assert.rejects(worker.ask({ type: 'renew' }), { message: 'worker 7 ended by SIGKILL' })
})

test('a worker that is late with a change does not live to make it; one that is late with a report does', async () => {
  prepareWorkers()
  const worker = new WorkerProcess(7, () => undefined)
  const late = { message: 'worker 7 did not answer' }
  await worker.ask({ type: 'serve', configuration, sockets: new Map() })
  const pid = worker.pid ?? assert.fail()
  process.kill(pid, 'SIGSTOP')
  await assert.rejects(worker.ask({ type: 'report', listing: false }, 0), late)
  process.kill(pid, 'SIGCONT')
  assert.equal((await worker.ask({ type: 'report', listing: false })).readiness, 'ready')
  process.kill(pid, 'SIGSTOP')
  await assert.rejects(worker.ask({ type: 'change', configuration }, 0), late)
  assert.deepEqual(await worker.ended, { code: null, signal: 'SIGKILL' })
})

test('a worker makes no more of a list than it shows', () => {
  function* numbers(): Generator<number> {
    for (let next = 0; ; next++) yield next
  }
  assert.deepEqual(firstOf(numbers(), 3), [0, 1, 2])
  assert.deepEqual(firstOf([7], 3), [7])
})

test('the deaths of a worker count in a row until one has lived for more than a minute', () => {
  assert.deepEqual([deathsInARow(undefined, 5), deathsInARow(1, 60_000), deathsInARow(7, 60_001)], [1, 2, 1])
})
