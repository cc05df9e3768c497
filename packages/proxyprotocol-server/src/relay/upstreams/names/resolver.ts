// Resolves the names of a service's upstreams, each once for all upstreams that have it.

import dns, { type LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import type { NameSnapshot } from '../../../figures/index.ts'
import { ResolvedName, type NameOptions, type Resolve } from './resolved-name.ts'
import { serviceRecords } from './service-records.ts'

export interface ResolverOptions extends Omit<NameOptions, 'resolve'> {
  readonly resolve?: Resolve | undefined
}

interface NameKind {
  readonly source?: string | undefined
  /** It has SRV records. */
  readonly isService?: boolean | undefined
}

export class Resolver {
  readonly #options: Omit<NameOptions, 'resolve'>
  readonly #resolve: Resolve
  readonly #names = new Map<string, ResolvedName>()

  constructor({ resolve = systemResolve, ...options }: ResolverOptions) {
    this.#options = options
    this.#resolve = resolve
  }

  /** The kernel connects a local address, `source`, to its own family only. */
  name(host: string, { source = '', isService = false }: NameKind = {}): ResolvedName {
    const family = isIP(source)
    const key = `${isService ? 'srv:' : ''}${host} ${String(family)}`
    const known = this.#names.get(key)
    if (known) return known
    const all = this.#resolve
    const ofFamily: Resolve = async asked => onlyOf(family, asked, await all(asked))
    const resolve = family === 0 ? all : ofFamily
    const name = new ResolvedName(host, {
      ...this.#options,
      resolve: isService ? serviceRecords(resolve) : resolve,
    })
    this.#names.set(key, name)
    return name
  }

  start(): void {
    for (const name of this.#names.values()) name.start()
  }

  get names(): ReadonlyMap<string, ResolvedName> {
    return this.#names
  }

  inherit(names: ReadonlyMap<string, ResolvedName>): void {
    for (const [key, name] of this.#names) {
      const before = names.get(key)
      if (before) name.inherit(before)
    }
  }

  close(): void {
    for (const name of this.#names.values()) name.close()
  }

  snapshot(): readonly NameSnapshot[] {
    return [...this.#names.values()].map(name => name.snapshot())
  }
}

/** Each name once, from the first that has an answer. */
export function answeredNames(resolvers: readonly Resolver[]): ReadonlyMap<string, ResolvedName> {
  const known = new Map<string, ResolvedName>()
  for (const { names } of resolvers) {
    for (const [key, name] of names) if (name.isAnswered && !known.has(key)) known.set(key, name)
  }
  return known
}

function onlyOf(family: number, host: string, found: readonly LookupAddress[]): readonly LookupAddress[] {
  const usable = found.filter(each => each.family === family)
  if (usable.length === 0) throw new Error(`${host} has no IPv${String(family)} addresses`)
  return usable
}

/** Called through the module's object, so that a replaced `dns.lookup` takes effect. */
function systemResolve(host: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    dns.lookup(host, { all: true, hints: dns.ADDRCONFIG }, (error, addresses) => {
      if (error) reject(error)
      else resolve(addresses)
    })
  })
}
