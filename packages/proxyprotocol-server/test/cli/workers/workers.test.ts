// proxyprotocol-server --workers: several processes, which look like one from outside.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from 'test-support/folder'
import { portIn, runCommand } from '../../support/child.ts'
import { ask } from '../../support/http.ts'
import { echo, startUpstream } from '../../support/upstream.ts'
import {
  CONNECTIONS,
  closedLines,
  counted,
  endsWell,
  metric,
  open,
  PROGRAM,
  ready,
  serve,
  serviceTo,
  startWorkers,
  LOGGED,
} from '../../support/workers.ts'

test(`two workers serve ${CONNECTIONS} connections: one line for each, sums of all, and one line about listening`, async t => {
  const upstream = await startUpstream(t, echo)
  const { child, port, adminPort } = await startWorkers(t, serviceTo(upstream))
  assert.deepEqual(await ready(adminPort), [200, 'ready'])
  await serve(t, port, CONNECTIONS)
  await child.until(() => closedLines(child).length === CONNECTIONS)
  const ids = closedLines(child).map(line => / id=(\S+) /.exec(line)?.[1])
  assert.equal(new Set(ids).size, CONNECTIONS)
  assert.equal(await counted(adminPort, 'proxyprotocol_connections_accepted_total'), CONNECTIONS)
  assert.equal(await counted(adminPort, 'proxyprotocol_connections_active'), 0)
  assert.equal(await counted(adminPort, 'proxyprotocol_upstream_connections_total'), CONNECTIONS)
  const limit = Number(/ listening .* connections=(\d+) /.exec(child.output())?.[1])
  assert.equal(await counted(adminPort, 'proxyprotocol_connections_limit'), 2 * limit)
  assert.equal(child.output().match(/ listening /g)?.length, 1)
  await endsWell(child)
  assert.match(child.output(), / draining connections=0\n\S+ stopped forced=0 stuck=0\n$/)
})

test(`the lines of ${LOGGED} connections through two workers, to a pipe that is read late and little by little, are whole`, async t => {
  const upstream = await startUpstream(t, echo)
  const pipe = join(temporaryFolder(t), 'log')
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0)
  const reader = runCommand(t, ['dd', `if=${pipe}`, 'bs=512', 'status=none'])
  const command = [...PROGRAM, '--workers', '2', ...serviceTo(upstream)]
  const program = runCommand(t, ['sh', '-c', 'exec "$@" >"$0"', pipe, ...command])
  const port = portIn(await reader.line(/ listening /))
  await reader.line(/ worker-started worker=2 /)
  reader.pause()
  await serve(t, port, LOGGED)
  reader.resume()
  await endsWell(program)
  await reader.ended
  const whole =
    /^\S+Z (?:closed id=[\w-]{36} service=\S+ .* reason=done .* ms=[\d.]+|(?!closed)[a-z-]+ [^=]+=.*)$/
  const lines = reader.output().split('\n')
  assert.deepEqual(
    lines.filter(line => line !== '' && !whole.test(line)),
    [],
  )
  assert.equal(closedLines(reader).length, LOGGED)
})

test('/stats.json lists the connections of all workers, the oldest first', async t => {
  const upstream = await startUpstream(t, echo)
  const { child, port, adminPort } = await startWorkers(t, serviceTo(upstream))
  const sockets = await Promise.all(Array.from({ length: 20 }, () => open(t, port)))
  const { body } = await ask(adminPort, '/stats.json')
  const {
    connections,
    process: facts,
    totals,
  } = JSON.parse(body) as {
    connections: { total: number; list: { age: number }[] }
    process: { pid: number; openFiles: number }
    totals: { active: number; bytesUp: number }
  }
  assert.deepEqual([connections.total, connections.list.length, totals.active], [20, 20, 20])
  const ages = connections.list.map(({ age }) => age)
  assert.deepEqual(
    ages,
    ages.toSorted((one, other) => other - one),
  )
  assert.equal(totals.bytesUp, 20 * 'early'.length)
  assert.equal(facts.pid, child.pid)
  assert.ok(facts.openFiles >= 40, 'the files of the workers are not among them')
  for (const socket of sockets) socket.end()
  await endsWell(child)
})

test('a worker that is killed is replaced, what it had counted stays, and other workers do not notice', async t => {
  const upstream = await startUpstream(t, echo)
  const { child, port, adminPort, pid } = await startWorkers(t, serviceTo(upstream))
  const held = await Promise.all(Array.from({ length: 40 }, () => open(t, port)))
  const before = await metric(adminPort, 'proxyprotocol_connections_accepted_total')
  const cpu = await counted(adminPort, 'process_cpu_seconds_total')
  const killed = await pid(1)
  process.kill(killed, 'SIGKILL')
  const line = await child.line(/ worker-ended /)
  assert.match(line, new RegExp(` worker=1 pid=${killed} signal=SIGKILL$`))
  assert.deepEqual(await ready(adminPort), [200, 'ready'])
  assert.deepEqual(await metric(adminPort, 'proxyprotocol_connections_accepted_total'), before)
  assert.ok((await counted(adminPort, 'process_cpu_seconds_total')) >= cpu)
  const active = await counted(adminPort, 'proxyprotocol_connections_active')
  const closed = await metric(adminPort, 'proxyprotocol_connections_closed_total')
  assert.equal(active + (closed['service="127.0.0.1:0",reason="aborted"'] ?? 0), 40)
  assert.equal(upstream.sockets.size, active)
  await serve(t, port, CONNECTIONS) // while there is one, and when there are two again
  await pid(1, 1)
  await serve(t, port, CONNECTIONS)
  assert.equal(await counted(adminPort, 'proxyprotocol_connections_accepted_total'), 40 + 2 * CONNECTIONS)
  for (const socket of held) socket.end()
  await endsWell(child)
})

test('a worker that dies again and again is replaced after ever longer times', async t => {
  const upstream = await startUpstream(t, echo)
  const { child, pid } = await startWorkers(t, serviceTo(upstream))
  for (let time = 0; time < 3; time++) process.kill(await pid(2, time), 'SIGKILL')
  await pid(2, 3)
  const times = (event: string): readonly number[] =>
    [...child.output().matchAll(new RegExp(`^(\\S+) ${event} worker=2 `, 'gm'))].map(([, time = '']) =>
      Date.parse(time),
    )
  const [ends, starts] = [times('worker-ended'), times('worker-started')]
  for (const [i, end] of ends.entries()) assert.ok((starts[i + 1] ?? 0) - end >= 100 * 2 ** i)
  await endsWell(child)
})

test('/metrics answers with what a worker last said that does not answer any more', async t => {
  const upstream = await startUpstream(t, echo)
  const { child, port, adminPort, pid } = await startWorkers(t, serviceTo(upstream))
  await serve(t, port, 10)
  assert.equal(await counted(adminPort, 'proxyprotocol_connections_accepted_total'), 10)
  process.kill(await pid(1), 'SIGSTOP')
  assert.equal(await counted(adminPort, 'proxyprotocol_connections_accepted_total'), 10)
  process.kill(await pid(1), 'SIGCONT')
  await endsWell(child)
})
