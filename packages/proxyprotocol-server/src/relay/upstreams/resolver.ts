import dns, { type LookupAddress } from 'node:dns'
import type { NameSnapshot } from '../../figures/index.ts'
import { ResolvedName, type NameOptions, type Resolve } from './resolved-name.ts'

export interface ResolverOptions extends Omit<NameOptions, 'resolve'> {
  readonly resolve?: Resolve | undefined
}

export class Resolver {
  readonly #options: NameOptions
  readonly #names = new Map<string, ResolvedName>()

  constructor(options: ResolverOptions) {
    this.#options = { ...options, resolve: options.resolve ?? systemResolve }
  }

  name(host: string): ResolvedName {
    const known = this.#names.get(host)
    if (known) return known
    const name = new ResolvedName(host, this.#options)
    this.#names.set(host, name)
    return name
  }

  start(): void {
    for (const name of this.#names.values()) name.start()
  }

  inherit(other: Resolver): void {
    for (const [host, name] of this.#names) {
      const before = other.#names.get(host)
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

/** Called through the module's object, so that a replaced `dns.lookup` takes effect. */
function systemResolve(host: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    dns.lookup(host, { all: true, hints: dns.ADDRCONFIG }, (error, addresses) => {
      if (error) reject(error)
      else resolve(addresses)
    })
  })
}
