// An upstream pool in front of real listeners.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createServer } from 'node:net'
import type { TestContext } from 'node:test'
import { closedPort, until } from 'test-support/sockets'
import { parseAddress, settlePool, type PoolInit, type UpstreamInit } from '../../src/config/index.ts'
import {
  UpstreamPool,
  type PoolOptions,
  type Resolve,
  type Route,
  type UpstreamRequest,
} from '../../src/relay/upstreams/index.ts'
import { connectedSockets, listen, type Listener } from './connections.ts'
import { atEnd } from './teardown.ts'

/** Where one connection went. */
interface Result {
  readonly route: Route
  readonly socket: Socket
}

interface Harness {
  readonly pool: UpstreamPool
  readonly connect: (request?: Partial<UpstreamRequest>) => Promise<Result>
}

/** An upstream at an address string, with what else is said of it. */
export function at(address: string | number, init: Partial<UpstreamInit> = {}): UpstreamInit {
  const text = typeof address === 'number' ? `127.0.0.1:${address}` : address
  return { address: parseAddress(text, { role: 'upstream' }), ...init }
}

export function harness(
  t: TestContext,
  upstreams: readonly UpstreamInit[],
  { now, resolver, ...init }: Partial<PoolInit> & PoolOptions = {},
): Harness {
  const pool = new UpstreamPool(settlePool({ ...init, upstreams }), { now, resolver })
  const made = connectedSockets(t)
  atEnd(t, async () => {
    pool.close()
    for (const socket of made()) socket.destroy()
    await until(() => pool.snapshot().upstreams.every(({ active }) => active === 0))
  })
  return {
    pool,
    connect: async request => {
      const route: Route = { upstream: undefined, upstreamAddress: undefined, attempts: 0 }
      const { signal } = new AbortController()
      const common = { source: undefined, header: () => undefined, payload: () => null, timeout: 5_000 }
      const socket = await pool.connect({ ...common, signal, route, ...request })
      return { route: request?.route ?? route, socket }
    },
  }
}

export async function many(count: number, connect: () => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let i = 0; i < count; i++) results.push(await connect())
  return results
}

/** A name with so many addresses, at a port where the first of them do not listen and the others do. */
export async function named(t: TestContext, dead: number, live: number): Promise<Named> {
  const port = await closedPort()
  const all = Array.from({ length: dead + live }, (_, n) => `127.0.0.${n + 2}`)
  const accepted: (() => number)[] = []
  for (const address of all.slice(dead)) accepted.push(await listenAt(t, address, port))
  return {
    address: `app.test:${port}`,
    port,
    addresses: all,
    resolver: async () => all.map(address => ({ address, family: 4 })),
    accepted: () => accepted.map(each => each()),
  }
}

interface Named {
  readonly address: string
  readonly port: number
  readonly addresses: readonly string[]
  readonly resolver: Resolve
  readonly accepted: () => number[]
}

/** Listens on a second address at a port that is in use on another; tells how many it has accepted. */
async function listenAt(t: TestContext, host: string, port: number): Promise<() => number> {
  let accepted = 0
  const server = createServer(socket => {
    accepted++
    atEnd(t, () => socket.destroy())
  })
  server.listen(port, host)
  await once(server, 'listening')
  atEnd(t, () => server.close())
  return () => accepted
}

export async function listeners(t: TestContext, count: number): Promise<Listener[]> {
  return Promise.all(Array.from({ length: count }, () => listen(t)))
}

export function counts(all: readonly Listener[]): number[] {
  return all.map(({ accepted }) => accepted)
}

export function portsOf(all: readonly Listener[]): number[] {
  return all.map(({ port }) => port)
}
