// 3,000 clients in one moment, to a relay in a process of its own.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { portIn, run } from '../support/child.ts'
import { dial, outcome } from '../support/connections.ts'
import { echo, startUpstream } from '../support/upstream.ts'

const CLIENTS = 3_000
const somaxconn = Number(readFileSync('/proc/sys/net/core/somaxconn', 'latin1'))

test(`${CLIENTS} connections at once through the relay: none is reset, and all bytes come back, with net.core.somaxconn=${somaxconn}`, async t => {
  const upstream = await startUpstream(t, echo)
  const program = run(t, 'packages/proxyprotocol-server/bin/proxyprotocol-server.js', [
    ...['--quiet', '--service', '127.0.0.1:0', `127.0.0.1:${upstream.port}?pp=noop`],
  ])
  const port = portIn(await program.line(/ listening /))
  const ends = await Promise.all(Array.from({ length: CLIENTS }, () => outcome(dial(t, port).end('hello'))))
  const counts = new Map<string, number>()
  for (const { error = 'FIN', bytes } of ends) {
    const end = `${error} ${String(bytes)}`
    counts.set(end, (counts.get(end) ?? 0) + 1)
  }
  assert.deepEqual([...counts], [['FIN hello', CLIENTS]])
})
