// A program follows the file that `upstreamsFrom` names, in one process and with workers.

import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from 'test-support/folder'
import { runServer } from '../../../src/cli/index.ts'
import { configFile } from '../../support/config-file.ts'
import { dial, listen, type Listener, outcome } from '../../support/connections.ts'
import { done } from '../../support/control.ts'
import { start } from '../../support/program.ts'
import { startWorkers } from '../../support/workers.ts'

function entry({ port }: Listener): string {
  return `127.0.0.1:${port}?pp=noop`
}

/** As programs do that write such files. */
function replace(file: string, content: unknown): void {
  writeFileSync(`${file}.new`, typeof content === 'string' ? content : JSON.stringify(content))
  renameSync(`${file}.new`, file)
}

test('a list that changes is followed, and nothing else is read: the configuration waits for its reload', async t => {
  const [a, b] = [await listen(t), await listen(t)]
  const folder = temporaryFolder(t)
  const [list, socket] = [join(folder, 'list.yaml'), join(folder, 'control.sock')]
  writeFileSync(list, `- ${entry(a)}\n`)
  const services = [{ name: 'web', listen: '127.0.0.1:0', upstreamsFrom: list, resolve: { drain: '1ms' } }]
  const configuration = { services, control: { socket } }
  const file = configFile(t, configuration)
  const { io, ports } = await start(t, runServer, ['--config', file])
  const [port = 0] = ports
  const old = dial(t, port)
  await a.accept()
  writeFileSync(file, '{')
  replace(list, [entry(b)])
  await io.line(/ reloaded added=0 changed=1 removed=0 unchanged=0\n/)
  assert.equal((await outcome(old)).error, 'ECONNRESET')
  assert.match(await io.line(/ closed /), / reason=upstream_removed /)
  dial(t, port)
  await b.accept()
  replace(list, '- nonsense')
  assert.match(await io.line(/ reload-failed /), /list\.yaml:1:3: \[0\]: /)
  dial(t, port)
  await b.accept()
  const other = join(folder, 'other.json')
  writeFileSync(other, JSON.stringify([entry(a)]))
  writeFileSync(
    file,
    JSON.stringify({ ...configuration, services: [{ ...services[0], upstreamsFrom: other }] }),
  )
  await done(socket, 'reload')
  replace(other, [{ address: entry(b), name: 'b' }])
  await io.line(/ reloaded /, 2)
  const shown = await done(socket, 'upstreams')
  assert.deepEqual(
    shown.map(({ upstream, state }) => [upstream, state]),
    [['b', 'up']],
  )
})

test('with workers each of them follows, and the change is logged once', async t => {
  const [a, b] = [await listen(t), await listen(t)]
  const list = join(temporaryFolder(t), 'list.json')
  writeFileSync(list, JSON.stringify([entry(a)]))
  const file = configFile(t, { services: [{ listen: '127.0.0.1:0', upstreamsFrom: list }] })
  const { child, port } = await startWorkers(t, ['--config', file])
  replace(list, [entry(b)])
  await child.line(/ reloaded /)
  for (let i = 0; i < 8; i++) {
    dial(t, port)
    await b.accept()
  }
  assert.equal(a.accepted, 0)
  assert.equal(child.output().match(/ reloaded /g)?.length, 1)
})
