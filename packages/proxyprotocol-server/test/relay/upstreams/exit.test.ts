// What runs in the background does not keep a process.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathOf, runCommand } from '../../support/child.ts'
import { listen } from '../../support/connections.ts'

const SCRIPT = `
  import { settlePool, parseAddress } from ${JSON.stringify(pathOf('packages/proxyprotocol-server/src/config/index.ts'))}
  import { UpstreamPool } from ${JSON.stringify(pathOf('packages/proxyprotocol-server/src/relay/upstreams/index.ts'))}
  const address = parseAddress(process.argv[1], { role: 'upstream' })
  const pool = new UpstreamPool(settlePool({ upstreams: [{ address }], health: { check: { interval: 100_000_000 } } }))
  pool.start()
  const route = { upstream: undefined, upstreamAddress: undefined, attempts: 0 }
  const { signal } = new AbortController()
  const socket = await pool.connect({ header: () => undefined, payload: () => null, timeout: 5_000, signal, route })
  socket.destroy()
  console.log(pool.snapshot().names.length)
`

test('neither checks nor names keep a process alive that has closed nothing', async t => {
  const far = await listen(t)
  const tsx = import.meta.resolve('tsx')
  const args = ['--import', tsx, '--input-type=module', '--eval', SCRIPT, `localhost:${far.port}`]
  const { ended, output } = runCommand(t, [process.execPath, ...args])
  const { code, errors } = await ended
  assert.deepEqual({ code, errors, output: output() }, { code: 0, errors: '', output: '1\n' })
})
