// One port, and a service for each family.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closedPort } from 'test-support/sockets'
import { runCommand } from '../support/child.ts'
import { chunk, dial } from '../support/connections.ts'
import { echo, startUpstream } from '../support/upstream.ts'
import { connect } from 'node:net'
import { endsWell, PROGRAM } from '../support/workers.ts'

for (const workers of [1, 2]) {
  test(`0.0.0.0 and [::] at one port are two services, with ${workers} workers`, async t => {
    const [four, six] = [await startUpstream(t, echo), await startUpstream(t, echo)]
    const port = await closedPort()
    const service = (host: string, to: number): readonly string[] => [
      ...['--service', `${host}:${port}`, `127.0.0.1:${to}?pp=noop`],
    ]
    const child = runCommand(t, [
      ...[...PROGRAM, '--workers', String(workers)],
      ...[...service('[::]', six.port), ...service('0.0.0.0', four.port)],
    ])
    await child.line(/ listening address=0\.0\.0\.0:/)
    await child.line(/ listening address=\[::\]:/)
    if (workers > 1) await child.line(/ worker-started worker=2 /)
    for (const client of [dial(t, port), connect({ host: '::1', port, noDelay: true })]) {
      client.write('hello')
      assert.equal(String(await chunk(client)), 'hello')
      client.destroy()
    }
    assert.deepEqual([four.accepted, six.accepted], [1, 1])
    await endsWell(child)
  })
}
