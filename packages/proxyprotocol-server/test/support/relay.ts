// A relay for one test: its records in order, and what must hold of every relay at the end.

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EventEmitter, once } from 'node:events'
import type { TestContext } from 'node:test'
import {
  diagnosticsChannels,
  type OpenedMessage,
  type ProxyServer,
  type ServerStats,
} from 'proxyprotocol/server'
import { content, until } from 'test-support/sockets'
import { parseService, type ServiceOptions, type UpstreamText } from '../../src/config/index.ts'
import { createRelay, type Relay, type RelayOptions, type RelayRecord } from '../../src/relay/index.ts'
import { connectedSockets, dial, keepAliveCalls, listen, warnings, type Listener } from './connections.ts'
import { testedPlane } from './planes.ts'
import { atEnd } from './teardown.ts'

export interface TestRelay extends Pick<
  Relay,
  | 'totals'
  | 'connections'
  | 'upstreams'
  | 'plane'
  | 'reloadCertificates'
  | 'reloadNetworks'
  | 'renewTicketKeys'
> {
  readonly server: ProxyServer
  /** 0 where it listens at a UNIX socket. */
  readonly port: number
  /** One for each connection, in the order of their ends. */
  readonly records: readonly RelayRecord[]
  /** What the process has warned of; the test fails at its end unless it was taken out. */
  readonly warnings: Error[]
  /** What its block lists have answered so far. */
  readonly listings: Relay['listings']
  /** The record of the n-th connection to end. */
  record(n?: number): Promise<RelayRecord>
}

/** Starts a relay to `upstream`; at the test's end it must have let go of everything, and have warned of nothing. */
export async function startRelay(
  t: TestContext,
  upstream: string | readonly UpstreamText[],
  options: RelayOptions & ServiceOptions & { source?: string } = {},
): Promise<TestRelay> {
  const {
    source = '127.0.0.1:0',
    onClosed,
    onRejected,
    onError,
    onUpstream,
    now,
    resolver,
    tlsFacts,
    ticketSecret,
    dataPlane,
    ...serviceOptions
  } = {
    dataPlane: testedPlane,
    onError: unexpected,
    onRejected: () => undefined, // a refusal is a warning without it; the counters tell
    ...options,
  }
  const records: RelayRecord[] = []
  const news = new EventEmitter()
  const made = connectedSockets(t)
  const seen = warnings(t)
  const relay = createRelay(parseService(source, upstream, serviceOptions), {
    onRejected,
    onError,
    onUpstream,
    now,
    resolver,
    tlsFacts,
    ticketSecret,
    dataPlane,
    onClosed: record => {
      records.push(record)
      news.emit('record')
      onClosed?.(record)
    },
  })
  const { server } = relay
  const opened = openedBy(t, server)
  const address = await relay.listen()
  atEnd(t, async () => {
    const { stuck } = await server.abort()
    assert.deepEqual(stuck, [], 'a handler did not end')
    assertBalanced(server.stats())
    assert.equal(records.length, opened(), 'onClosed was not called once for each connection')
    const left = made().filter(socket => !socket.destroyed)
    assert.equal(left.length, 0, 'an upstream socket was left open')
  })
  const { totals, connections, plane } = relay
  return {
    totals,
    connections,
    plane,
    warnings: seen,
    server,
    port: typeof address === 'string' ? 0 : address.port,
    reloadCertificates: () => relay.reloadCertificates(),
    reloadNetworks: () => relay.reloadNetworks(),
    renewTicketKeys: () => relay.renewTicketKeys(),
    records,
    get listings() {
      return relay.listings
    },
    upstreams: () => relay.upstreams(),
    record: async (n = 0) => {
      for (;;) {
        const record = records[n]
        if (record) return record
        await once(news, 'record')
      }
    },
  }
}

/** Starts a relay for a test that looks at its sockets. */
export function startOnSockets(
  t: TestContext,
  upstream: string | readonly UpstreamText[],
  options: Parameters<typeof startRelay>[2] = {},
): Promise<TestRelay> {
  return startRelay(t, upstream, { ...options, dataPlane: 'sockets' })
}

function unexpected(error: unknown): void {
  assert.fail(`onError was called with ${String(error)}`)
}

/** How many connections of the server were neither probes nor rejected. */
function openedBy(t: TestContext, server: ProxyServer): () => number {
  let count = 0
  const onOpened = (message: unknown): void => {
    if ((message as OpenedMessage).server === server) count++ // as the channel documents it
  }
  subscribe(diagnosticsChannels.opened, onOpened)
  atEnd(t, () => unsubscribe(diagnosticsChannels.opened, onOpened))
  return () => count
}

/** Rule 23 of the contract, once all is over. */
export function assertBalanced({
  accepted,
  active,
  closed,
}: Pick<ServerStats, 'accepted' | 'active' | 'closed'>): void {
  const total = Object.values(closed).reduce((sum, count) => sum + count, 0)
  assert.deepEqual({ active, total }, { active: 0, total: accepted }, 'accepted = active + all of closed')
}

/** What arrives upstream of all that a client sends. */
export async function passed(
  t: TestContext,
  relay: TestRelay,
  to: Listener,
  bytes: Uint8Array,
): Promise<Buffer> {
  const client = dial(t, relay.port)
  client.end(bytes)
  const far = await to.accept()
  const received = await content(far)
  far.end()
  client.resume()
  return received
}

/** The calls of setKeepAlive() on both sides of a relayed connection. */
export async function keepAlives(
  t: TestContext,
  options: ServiceOptions = {},
): Promise<readonly unknown[][]> {
  const upstream = await listen(t)
  const calls = keepAliveCalls(t)
  const relay = await startOnSockets(t, `127.0.0.1:${upstream.port}`, options)
  dial(t, relay.port)
  await upstream.accept()
  await until(() => calls.length === 2)
  return calls
}
