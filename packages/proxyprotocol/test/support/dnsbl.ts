// What the tests of DNS block lists share: a name server per test, and the expected listings.

import { Resolver } from 'node:dns/promises'
import type { TestContext } from 'node:test'
import type { NameResolver, Unknown, UnknownReason } from '../../src/dnsbl/index.ts'
import { startDnsServer } from './dns-server.ts'
import type { DnsServer, Reply } from './dns-server.ts'

/** The address that the tests ask about; its names start with `1.2.0.192`. */
export const ADDRESS = '192.0.2.1'

/** Never answers. */
export const NEVER: { resolve4(name: string): Promise<never> } = {
  resolve4: () => new Promise(() => undefined),
}

type Table = Readonly<Record<string, Reply>>

/** A server of its own for one test, and a resolver that asks it. */
export async function serve(
  t: TestContext,
  table: Table,
): Promise<{ server: DnsServer; resolver: Resolver }> {
  const server = await startDnsServer(table)
  const resolver = new Resolver()
  resolver.setServers([server.address])
  t.after(async () => {
    resolver.cancel()
    await server.close()
  })
  return { server, resolver }
}

export interface OwnQueries {
  readonly resolvers: ReadonlySet<Resolver>
  /** For each query its records, or the code of its error. */
  readonly outcomes: readonly Promise<unknown>[]
}

/** A server of its own for one test, which lookup()'s own resolvers ask. */
export async function serveOwn(
  t: TestContext,
  table: Table,
): Promise<OwnQueries & { readonly server: DnsServer }> {
  const { server } = await serve(t, table)
  return { server, ...redirectOwn(t, server.address) }
}

/** Sends what lookup()'s own resolvers ask to this server, and records how each query ended. */
export function redirectOwn(t: TestContext, address: string): OwnQueries {
  const resolvers = new Set<Resolver>()
  const outcomes: Promise<unknown>[] = []
  const original: NameResolver['resolve4'] = Resolver.prototype.resolve4
  t.mock.method(Resolver.prototype, 'resolve4', redirected)
  return { resolvers, outcomes }

  function redirected(this: Resolver, ...question: Parameters<NameResolver['resolve4']>): Promise<unknown> {
    if (!resolvers.has(this)) this.setServers([address])
    resolvers.add(this)
    const query = original.apply(this, question)
    outcomes.push(query.catch((error: unknown) => codeOf(error)))
    return query
  }
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
