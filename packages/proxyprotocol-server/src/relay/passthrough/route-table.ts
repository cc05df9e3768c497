import type { ClientHello } from './client-hello.ts'
import { NameTable } from './name-table.ts'

/** Stands for every name; a server name is never a lone asterisk. */
const ANY_NAME = '*'
/** Stands for every protocol; no protocol has an empty name. */
const ANY_PROTOCOL = ''

/** Finds the route for a client: by its protocols in the order that it prefers, then by its server name alone. */
export class RouteTable<T extends { readonly names: readonly string[]; readonly alpn: readonly string[] }> {
  readonly #tables = new Map<string, NameTable<T>>()

  constructor(routes: readonly T[]) {
    for (const route of routes) {
      for (const protocol of orAny(route.alpn, ANY_PROTOCOL)) {
        const table = this.#tables.get(protocol) ?? new NameTable<T>()
        this.#tables.set(protocol, table)
        for (const name of orAny(route.names, ANY_NAME)) table.add(name, route)
      }
    }
  }

  find({ serverName, alpn }: ClientHello): T | undefined {
    const offered = new Set(alpn.map(protocol => Buffer.from(protocol).toString('latin1')))
    for (const protocol of offered.add(ANY_PROTOCOL)) {
      const table = this.#tables.get(protocol)
      const found = (serverName === undefined ? undefined : table?.find(serverName)) ?? table?.find(ANY_NAME)
      if (found !== undefined) return found
    }
    return undefined
  }
}

function orAny(values: readonly string[], any: string): readonly string[] {
  return values.length === 0 ? [any] : values
}
