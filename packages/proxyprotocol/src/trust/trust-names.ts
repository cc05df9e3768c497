// Trust by name, looked up again and again.

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { checkNames, milliseconds, quote } from '../checks/index.ts'
import { compileNetworks, type Peer } from './networks.ts'

/** Orchestrators move a name within a minute. */
const DEFAULT_REFRESH = 30_000
/** Look-ups without an answer that cost a name its trust. */
const MOST_MISSED = 3
/** Resolvers read a last label of digits as IPv4 in short form. */
const HOST_NAME = /^(?:[\w-]{1,63}\.)*(?!\d+\.?$|0x[\da-f]*\.?$)[\w-]{1,63}\.?$/i
const ABSENT: readonly unknown[] = ['ENOTFOUND', 'ENODATA']
const RESERVED = ['anyone', 'unix']

/** Such as a `Resolver` of `node:dns/promises`. */
export interface TrustResolver {
  /** The IPv4 addresses of a name. */
  resolve4(name: string): Promise<readonly string[]>
  /** The IPv6 addresses of a name. */
  resolve6(name: string): Promise<readonly string[]>
}

/** How names become addresses. */
export interface TrustNamesOptions {
  /** Milliseconds between look-ups of a name. Default 30000, at least 1. */
  readonly refresh?: number | undefined
  /** Default: `getaddrinfo()`, which knows `/etc/hosts` and containers. */
  readonly resolver?: TrustResolver | undefined
}

/** A trust function that follows names. */
export interface NameTrust {
  (peer: Peer): boolean
  /** Resolves when each name was looked up once, also without success. */
  ready(): Promise<void>
  /** Stops look-ups, and all trust. */
  close(): void
}

/**
 * Makes a `trust` function of host names, for proxies whose addresses change. Addresses, networks and
 * `'unix'` are allowed, too. A name is trusted after its first answer. It loses trust if it does not exist,
 * or after three look-ups without an answer, with a process warning.
 * Use only a name service that you control: its answers decide who can send headers.
 *
 * @throws TypeError or RangeError naming the entry or option that is wrong.
 * @example
 * ```ts run
 * import http from 'node:http'
 * import { attach, trustNames } from 'proxyprotocol/server'
 *
 * const trust = trustNames(['localhost', '10.0.0.0/8'], { refresh: 10_000 })
 * await trust.ready()
 * const server = attach(http.createServer(), { trust })
 * trust.close()
 * ```
 */
export function trustNames(names: readonly string[], options: TrustNamesOptions = {}): NameTrust {
  checkNames(options, ['refresh', 'resolver'])
  const { refresh = DEFAULT_REFRESH, resolver } = options
  milliseconds(refresh, 'refresh', 1)
  const resolve = resolveBy(resolver)
  const holds = compileNetworks(networksOf(names), 'names')
  const hosts = names.filter(isHostName).map(name => new TrustedName(name, resolve))
  const ask = (): Promise<unknown> => Promise.all(hosts.map(host => host.ask()))
  const first = ask()
  const timer = setInterval(() => void ask(), refresh).unref() // ask() never rejects
  return Object.assign((peer: Peer) => holds(peer) || hosts.some(host => host.holds(peer)), {
    ready: async () => {
      await first
    },
    close: () => {
      clearInterval(timer)
      for (const host of hosts) host.close()
    },
  })
}

export function isHostName(entry: unknown): entry is string {
  return typeof entry === 'string' && HOST_NAME.test(entry) && !RESERVED.includes(entry)
}

function networksOf(names: readonly string[] | undefined): readonly string[] {
  if (Array.isArray(names) && names.length > 0)
    return names.filter((name: unknown) => !isHostName(name)) as string[] // compileNetworks() checks them
  throw new TypeError(
    `names must be a list of host names, got ${quote(names)}; did you mean trustNames(['traefik'])?`,
  )
}

type Resolve = (name: string) => Promise<readonly string[]>

function resolveBy(resolver: TrustResolver | undefined): Resolve {
  if (resolver === undefined) {
    return async name => (await present(lookup(name, { all: true }))).map(({ address }) => address)
  }
  const { resolve4, resolve6 } = Object(resolver) as Partial<TrustResolver>
  if (typeof resolve4 !== 'function' || typeof resolve6 !== 'function') {
    throw new TypeError(`resolver must have resolve4() and resolve6(), got ${quote(resolver)}`)
  }
  return async name => {
    const ask = async (method: keyof TrustResolver): Promise<readonly string[]> =>
      present(resolver[method](name))
    return (await Promise.all([ask('resolve4'), ask('resolve6')])).flat()
  }
}

async function present<T>(answer: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await answer
  } catch (error) {
    if (ABSENT.includes((error as NodeJS.ErrnoException).code)) return []
    throw error
  }
}

class TrustedName {
  readonly #name: string
  readonly #resolve: Resolve
  #holds: ((peer: Peer) => boolean) | undefined
  /** A late answer must replace no newer one. */
  #asked = 0
  #isWaiting = false
  #waited = 0
  #missed = 0
  #isReported = false

  constructor(name: string, resolve: Resolve) {
    this.#name = name
    this.#resolve = resolve
  }

  holds(peer: Peer): boolean {
    return this.#holds?.(peer) === true
  }

  /** Never rejects. */
  async ask(): Promise<void> {
    if (this.#isWaiting) {
      this.#miss('no answer in time')
      if (++this.#waited < MOST_MISSED) return // its answer may still come
    }
    this.#waited = 0
    const asked = ++this.#asked
    this.#isWaiting = true
    try {
      const addresses = await this.#resolve(this.#name)
      if (asked === this.#asked) this.#take(addresses)
    } catch (error) {
      if (asked === this.#asked) this.#miss(error instanceof Error ? error.message : quote(error))
    }
    if (asked === this.#asked) this.#isWaiting = false
  }

  close(): void {
    this.#asked++
    this.#holds = undefined
  }

  #take(addresses: readonly string[]): void {
    const holds = compileNetworks(addresses.map(bareAddress), 'the answer')
    this.#missed = 0
    if (addresses.length === 0) return this.#lose('it has no address')
    this.#isReported = false
    this.#holds = holds
  }

  #miss(why: string): void {
    this.#missed++
    if (this.#holds === undefined || this.#missed >= MOST_MISSED) this.#lose(why)
  }

  #lose(why: string): void {
    this.#holds = undefined
    if (this.#isReported) return
    this.#isReported = true
    const message = `trustNames() does not trust ${this.#name} until it resolves: ${why}`
    process.emitWarning(message, { type: 'ProxyProtocolWarning', code: 'dns_error' })
  }
}

/** Link-local peers have no zone, and no answer may be a network. */
function bareAddress(address: string): string {
  const bare = address.replace(/%.*$/, '')
  if (isIP(bare) !== 0) return bare
  throw new TypeError(`the answer must have addresses, got ${quote(address)}`)
}
