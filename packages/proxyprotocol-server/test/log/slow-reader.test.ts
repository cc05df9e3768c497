// The program and a log that is not read for a while: connections go on, memory stays, and lost lines are reported.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { pathOf } from '../support/child.ts'
import { dial, outcome } from '../support/connections.ts'
import { atEnd } from '../support/teardown.ts'

/** Lines of 300 bytes each: more than the program keeps, its pipe holds and this process reads ahead. */
const CONNECTIONS = 6_000
const AT_ONCE = 100

test('6,000 connections with a log that is not read are all served; lines are lost, counted and reported', async t => {
  const program = pathOf('packages/proxyprotocol-server/bin/proxyprotocol-echo.js')
  const child = spawn(process.execPath, [program, '127.0.0.1:0?pp=v2'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  atEnd(t, () => child.kill('SIGKILL'))
  const [first] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(/ address=\S+:(\d+) /.exec(first.toString())?.[1])
  child.stdout.pause()
  for (let made = 0; made < CONNECTIONS; made += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, () => outcome(dial(t, port).end('GET / HTTP/1.1\r\n\r\n'))),
    )
  }
  const exit = once(child, 'exit')
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk)).resume()
  for (;;) {
    await outcome(dial(t, port).end('GET / HTTP/1.1\r\n\r\n'))
    if (/ lost lines=\d+\n/.test(Buffer.concat(chunks).toString())) break
  }
  child.kill('SIGTERM')
  const ended = once(child.stdout, 'end')
  assert.deepEqual(await exit, [0, null])
  await ended
  const lines = Buffer.concat(chunks).toString().split('\n')
  const written = lines.filter(line => line.includes(' rejected ')).length
  const lost = lines.reduce((sum, line) => sum + Number(/ lost lines=(\d+)$/.exec(line)?.[1] ?? 0), 0)
  const { length: extra } = lines.filter(line => line.includes(' stopped '))
  assert.equal(extra, 1)
  assert.ok(lost > 0 && written + lost >= CONNECTIONS, `${written} written, ${lost} lost`)
})
