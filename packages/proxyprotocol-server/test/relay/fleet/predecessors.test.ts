// The counters of upstreams go on when a service changes.

import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { closedPort, until } from 'test-support/sockets'
import { parseService, type Service } from '../../../src/config/index.ts'
import { createRelay, Fleet } from '../../../src/relay/index.ts'
import { dial, listen } from '../../support/connections.ts'
import { atEnd } from '../../support/teardown.ts'

test('an upstream that a changed service still has counts on, with the connections that are left', async t => {
  const upstream = await listen(t)
  const [good, bad] = [`127.0.0.1:${upstream.port}?pp=noop`, `127.0.0.1:${await closedPort()}?pp=noop`]
  const service = (upstreams: readonly string[], idle: number): Service =>
    parseService('127.0.0.1:0', upstreams, { name: 'a', health: { fails: 0 }, timeouts: { idle } })
  const fleet = new Fleet({ create: each => createRelay(each) })
  atEnd(t, () => fleet.abort())
  /** Active, total and failures of each upstream; a connection counts a moment after the upstream has it. */
  async function reaches(expected: readonly unknown[]): Promise<void> {
    await until(() => isDeepStrictEqual(shown(), expected))
  }
  function shown(): unknown {
    const [service] = fleet.figures()
    return service?.upstreams.map(({ active, total, failures }) => [active, total, failures])
  }

  await fleet.apply([service([bad, good], 60_000)])
  const { port } = fleet.relays[0]?.server.address as AddressInfo
  dial(t, port)
  const far = await upstream.accept()
  await reaches([
    [0, 0, { connect_refused: 1 }],
    [1, 1, {}],
  ])
  await fleet.apply([service([good, bad], 60_001)])
  await reaches([
    [1, 1, {}],
    [0, 0, { connect_refused: 1 }],
  ])
  const client = dial(t, port)
  const other = await upstream.accept()
  await fleet.apply([service([good], 60_002)])
  await reaches([[2, 2, {}]])
  for (const socket of [far, other]) socket.resetAndDestroy()
  client.on('error', () => {})
  await until(() => fleet.servers.size === 1)
  await reaches([[0, 2, {}]])
  await fleet.apply([service([good, bad], 60_003)])
  await reaches([
    [0, 2, {}],
    [0, 0, { connect_refused: 1 }],
  ])
})
