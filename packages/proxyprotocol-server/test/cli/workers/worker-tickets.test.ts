// Session tickets with workers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WorkerGroup } from '../../../src/cli/workers/worker-group.ts'
import { parseConfig } from '../../../src/config/index.ts'
import { certificateFiles } from '../../support/certificate-files.ts'
import { portIn } from '../../support/child.ts'
import { fakeIo } from '../../support/program.ts'
import { isResumed, sessionAt } from '../../support/sessions.ts'
import { atEnd } from '../../support/teardown.ts'
import { echo, startUpstream } from '../../support/upstream.ts'

test('a session is resumed by each worker, also by one that starts later, until the keys change in all', async t => {
  const upstream = await startUpstream(t, echo)
  const services = [{ listen: certificateFiles(t).source, upstream: `127.0.0.1:${upstream.port}?pp=noop` }]
  const io = fakeIo()
  const options = { sockets: new Map(), ticketSecret: new Uint8Array(32) }
  const group = new WorkerGroup(io, parseConfig({ services, workers: 2 }), options)
  atEnd(t, () => group.stop())
  await group.start()
  const port = portIn(await io.line(/ listening /))
  const end = async (worker: number): Promise<void> => {
    const line = new RegExp(` worker-started worker=${worker} `)
    process.kill(Number(/ pid=(\d+)/.exec(await io.line(line))?.[1]), 'SIGKILL')
    await io.line(line, 1)
  }
  const session = await sessionAt(t, port)
  await end(1)
  await end(2)
  assert.equal(await isResumed(t, port, { session }), true)
  await group.renewTicketKeys(new Uint8Array(32).fill(1))
  for (let n = 0; n < 5; n++) assert.equal(await isResumed(t, port, { session }), false)
  await group.close()
})
