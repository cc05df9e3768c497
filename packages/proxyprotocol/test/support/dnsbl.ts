// What the tests of DNS block lists share: a name server per test, and the expected listings.

import { Socket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { startDnsServer, type DnsServer, type Reply } from 'test-support/dns-server'
import type { NameResolver, Unknown, UnknownReason } from '../../src/dnsbl/index.ts'

/** The address that the tests ask about; its names start with `1.2.0.192`. */
export const ADDRESS = '192.0.2.1'

/** Never answers. */
export const NEVER: { resolve4(name: string): Promise<never> } = {
  resolve4: () => new Promise(() => undefined),
}

type Table = Readonly<Record<string, Reply>>

/** A server of its own for one test, and the option that names it. */
export async function serve(
  t: TestContext,
  table: Table,
  host?: string,
): Promise<{ server: DnsServer; servers: readonly string[] }> {
  const server = await startDnsServer(table, host)
  t.after(() => server.close())
  return { server, servers: [server.address] }
}

/** For each datagram socket that is connected while the test runs, a promise that resolves when it is closed. */
export function ownQueries(t: TestContext): readonly Promise<unknown>[] {
  const closed: Promise<unknown>[] = []
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with its socket
  const original: (this: Socket, port: number, address: string) => void = Socket.prototype.connect
  t.mock.method(Socket.prototype, 'connect', function (this: Socket, port: number, address: string) {
    closed.push(once(this, 'close'))
    original.call(this, port, address)
  })
  return closed
}

/** The code of one of Node's DNS errors, such as `ECANCELLED`. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** An unknown listing with all its properties. */
export function unknown(reason: UnknownReason, zone: string, why: Partial<Unknown> = {}): Unknown {
  return { status: 'unknown', reason, zone, answer: undefined, cause: undefined, ...why }
}

/** Answers each name from a table of promises. */
export function fake(replies: Readonly<Record<string, Promise<readonly string[]>>>): NameResolver {
  return { resolve4: name => replies[name] ?? Promise.reject(new Error(`not in the table: ${name}`)) }
}

export interface HeldDeadline {
  /** The milliseconds of each timer that was set. */
  readonly waits: readonly number[]
  /** Lets the first timer fire. */
  pass(): void
}

/** Holds back every timer set from now on, so that a deadline passes when the test says so and never before. */
export function holdDeadline(t: TestContext): HeldDeadline {
  const waits: number[] = []
  const callbacks: (() => void)[] = []
  const original = setTimeout
  t.mock.method(globalThis, 'setTimeout', (callback: () => void, wait: number) => {
    waits.push(wait)
    callbacks.push(callback)
    return original(callback, 2 ** 31 - 1)
  })
  return { waits, pass: () => callbacks[0]?.() }
}
