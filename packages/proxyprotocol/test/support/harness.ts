// The harness of a test with servers: what it starts there is closed at its end, and nothing may be left: no connection,
// no socket, no timer, no rejection, no exception, no warning and no error that the test did not take.

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { content, text, turns, until } from 'test-support/sockets'
import { untyped } from 'test-support/untyped'
import { ProxyProtocolError } from '../../src/codec/index.ts'
import {
  createServer,
  diagnosticsChannels,
  type AcceptedMessage,
  type ClosedMessage,
  type Connection,
  type Handler,
  type ProxyServer,
  type RejectedMessage,
  type ServerOptions,
  type ServerStats,
} from '../../src/server/index.ts'

/** A server that listens, and what it told. */
export interface Served {
  readonly server: ProxyServer
  readonly port: number
  /** What `onError` was given; the test takes out what it expects. */
  readonly errors: { readonly error: unknown; readonly connection: Connection | undefined }[]
  /** Messages of the channels about this server's connections, in order. */
  readonly rejected: readonly RejectedMessage[]
  readonly closed: readonly ClosedMessage[]
}

export interface Harness {
  /** Starts a server on 127.0.0.1; by default it trusts anyone and records its errors. */
  serve(handler: Handler, options?: Partial<ServerOptions>): Promise<Served>
  /** Closes and checks a server that the test made itself. */
  watch(server: ProxyServer): ProxyServer
  /** A client of a port on loopback, or of a path; half-open, and without Nagle's delay. */
  dial(where: number | string, host?: string): Socket
  /** Runs something at the end, before it is looked at what is left. */
  readonly defer: (end: () => unknown) => void
  /** The warnings so far that were not taken yet; those not taken fail the test. */
  warnings(): Promise<Error[]>
}

const faults: unknown[] = []
const seenWarnings: Error[] = []

process.removeAllListeners('warning') // Node's own listener prints what the tests look at
process.on('unhandledRejection', reason => faults.push(reason))
process.on('uncaughtExceptionMonitor', error => faults.push(error))
process.on('warning', warning => {
  // Tests wait for short deadlines, and are refused; options.test.ts and refusals.test.ts look at what is said of both.
  const isExpected = /^(?:timeouts\.header is|refused a connection) /.test(warning.message)
  if (!isExpected) seenWarnings.push(warning)
})

export function createHarness(t: TestContext): Harness {
  const before = resources()
  const servers: ProxyServer[] = []
  const all: Served[] = []
  const clients: Socket[] = []
  const ends: (() => unknown)[] = []
  t.after(async () => {
    for (const client of clients) client.destroy()
    for (const end of ends) await end()
    for (const server of servers) await assertGone(server)
    for (const { errors } of all) assert.deepEqual(errors, [], 'onError was called')
    await assertNothingLeft(before)
  })
  const watch = (server: ProxyServer): ProxyServer => {
    servers.push(server)
    return server
  }
  return {
    watch,
    defer: end => void ends.push(end),
    serve: async (handler, options = {}) => {
      const errors: Served['errors'] = []
      const onError = (error: unknown, connection: Connection | undefined): unknown =>
        errors.push({ error, connection })
      const defaults = options.version === 'none' ? { onError } : { trust: 'anyone', onError }
      const server = watch(createServer(untyped({ ...defaults, ...options }), handler))
      const { port } = (await server.listen(0, '127.0.0.1')) as AddressInfo
      const rejected: RejectedMessage[] = []
      const closed: ClosedMessage[] = []
      collect(t, diagnosticsChannels.rejected, { server, seen: rejected })
      collect(t, diagnosticsChannels.closed, { server, seen: closed })
      const served = { server, port, errors, rejected, closed }
      all.push(served)
      return served
    },
    dial: (where, host = '127.0.0.1') => {
      const client =
        typeof where === 'string'
          ? connect({ path: where, allowHalfOpen: true })
          : connect({ port: where, host, allowHalfOpen: true, noDelay: true })
      clients.push(client)
      return client.on('error', () => {})
    },
    warnings: async () => {
      await turns(1) // they are emitted a tick late
      return seenWarnings.splice(0)
    },
  }
}

/** A handler that reads to the FIN of the peer. */
export async function readToEnd({ socket }: Connection): Promise<void> {
  await content(socket)
}

/** A handler that answers after the FIN of the peer. */
export async function answerAfterEnd({ socket }: Connection): Promise<void> {
  const request = await text(socket)
  assert.equal(socket.writable, true)
  await turns()
  socket.write(`got ${request}`)
  socket.end('bye')
}

/** The fault that a promise rejects with. */
export async function faultOf(promise: Promise<unknown>): Promise<ProxyProtocolError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof ProxyProtocolError) return error
    throw error
  }
  throw new Error('it did not reject')
}

/** Rule 23 of the contract. */
export function assertBalanced({ accepted, active, closed }: ServerStats): void {
  const total = Object.values(closed).reduce((sum, count) => sum + count, 0)
  assert.equal(accepted, active + total, 'accepted = active + all of closed')
}

/** The reasons that were counted, without those that were not. */
export function counted({ server }: { readonly server: ProxyServer }): Record<string, number> {
  assertBalanced(server.stats())
  return Object.fromEntries(Object.entries(server.stats().closed).filter(([, count]) => count > 0))
}

/** Waits for so many connections to be open, and gives them. */
export async function opened({ server }: { readonly server: ProxyServer }, count = 1): Promise<Connection[]> {
  const open = (): Connection[] => [...server.connections].filter(({ state }) => state === 'open')
  await until(() => open().length >= count)
  return open()
}

/** Waits for so many connections to be over. */
export async function over({ server }: { readonly server: ProxyServer }, count: number): Promise<void> {
  await until(() => server.stats().accepted - server.stats().active >= count)
}

async function assertGone(server: ProxyServer): Promise<void> {
  assertBalanced(server.stats())
  await server.abort()
  await until(() => server.connections.size === 0)
  assertBalanced(server.stats())
  assert.equal(server.stats().active, 0, 'no connection is left')
  assert.equal(server.state, 'closed')
  assert.equal(server.address, null)
}

async function assertNothingLeft(before: string[]): Promise<void> {
  for (let i = 0; i < 100 && resources().length > before.length; i++) await turns(1)
  assert.deepEqual(resources(), before, 'no socket and no timer is left')
  assert.deepEqual(faults.splice(0), [], 'no rejection was unhandled, and no exception uncaught')
  assert.deepEqual(seenWarnings.splice(0), [], 'no warning was emitted')
}

/** What keeps the process alive, but for what comes and goes with each turn of the event loop. */
function resources(): string[] {
  return process.getActiveResourcesInfo().filter(name => /^(?:TCP|Pipe|Timeout|GetAddrInfo)/.test(name))
}

/** Collects what a channel says of this server, in order. */
export function collect(
  t: TestContext,
  channel: string,
  { server, seen }: { readonly server: AcceptedMessage['server']; readonly seen: AcceptedMessage[] },
): void {
  const onMessage = (message: unknown): void => {
    const said = message as AcceptedMessage // only this library publishes there
    if (said.server === server) seen.push(said)
  }
  subscribe(channel, onMessage)
  t.after(() => unsubscribe(channel, onMessage))
}
