import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closeConnections } from '../../../src/cli/services/close-connections.ts'
import { liveConnection } from '../../support/figures.ts'

test('connections are closed by source and upstream, also at UNIX sockets and of services that are gone', () => {
  const live = [
    liveConnection({ id: 'tcp', source: { address: '::ffff:192.0.2.1', port: 1 } }),
    liveConnection({ id: 'unix', source: { path: '/a' }, upstream: { path: '/b' } }),
  ]
  const closed: string[] = []
  const connections = ['tcp', 'unix'].map(id => ({ id, abort: () => closed.push(id) }))
  const fleet = {
    totals: () => new Map([['gone', undefined]]),
    connectionsOf: () => live,
    servers: new Set([{ connections }]),
  } as unknown as Parameters<typeof closeConnections>[0] // as far as it is used
  assert.equal(closeConnections(fleet, { source: '192.0.2.0/24' }), 1)
  assert.equal(closeConnections(fleet, { source: 'unix' }), 1)
  assert.equal(closeConnections(fleet, { upstream: '/b' }), 1)
  assert.equal(closeConnections(fleet, { upstream: '192.0.2.9:1' }), 0)
  assert.deepEqual(closed, ['tcp', 'unix', 'unix'])
})
