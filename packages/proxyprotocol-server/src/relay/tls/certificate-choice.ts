import type { TlsOptions } from 'node:tls'
import { type KeyPair, type ListenFiles, pairOptions } from '../../config/index.ts'

/**
 * The options of a handshake by server name. Node's SNICallback would not do: it leaves the first context's certificate in
 * place for clients that prefer its kind of key.
 */
export class CertificateChoice {
  /** For all names that no certificate has. */
  readonly byDefault: TlsOptions
  readonly #byName = new Map<string, TlsOptions>()

  constructor({ common, pairs }: ListenFiles, handshake: TlsOptions) {
    this.byDefault = { ...pairOptions(common, pairs.slice(0, 1)), ...handshake }
    const made = new Map<string, TlsOptions>()
    for (const [name, chosen] of pairsByName(pairs)) {
      const key = chosen.map(pair => pairs.indexOf(pair)).join()
      const options = made.get(key) ?? { ...pairOptions(common, chosen), ...handshake }
      made.set(key, options)
      this.#byName.set(name, options)
    }
  }

  /** A wildcard stands for one label (RFC 6125 section 6.4.3). */
  find(serverName = ''): TlsOptions | undefined {
    return this.#byName.get(serverName) ?? this.#byName.get(serverName.replace(/^[^.]*/, '*'))
  }
}

/** Of several certificates with one kind of key, a name has the one that expires last. */
function pairsByName(pairs: readonly KeyPair[]): ReadonlyMap<string, readonly KeyPair[]> {
  const byName = new Map<string, readonly KeyPair[]>()
  for (const pair of pairs.toSorted((a, b) => b.expires - a.expires)) {
    for (const name of pair.names) {
      const chosen = byName.get(name) ?? []
      if (!chosen.some(({ kind }) => kind === pair.kind)) byName.set(name, [...chosen, pair])
    }
  }
  return byName
}
