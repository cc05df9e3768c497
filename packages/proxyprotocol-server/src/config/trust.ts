// Reads `trust` as users write it; the library defines networks.

import { entryProblem } from './networks.ts'
import { ConfigError } from './text/index.ts'

/** Networks and addresses, with `unix` for peers on UNIX sockets; or every peer. */
export type TrustList = 'anyone' | readonly string[]

/**
 * Reads the values of `--trust`: networks in CIDR notation, addresses and `unix`, alone or separated by commas; or
 * `anyone` alone.
 *
 * @throws {ConfigError} naming any other entry.
 * @example
 * ```ts run
 * import { parseTrust } from 'proxyprotocol-server'
 *
 * parseTrust(['10.0.0.0/8,2001:db8::1', 'unix']) // ['10.0.0.0/8', '2001:db8::1', 'unix']
 * parseTrust(['anyone']) // 'anyone'
 * ```
 */
export function parseTrust(values: readonly string[]): TrustList {
  const entries = values.flatMap(value => value.split(',')).map(entry => entry.trim())
  if (entries.length === 1 && entries[0] === 'anyone') return 'anyone'
  const problem = trustProblem(entries)
  if (problem === undefined) return entries
  throw new ConfigError(`--trust ${problem}; right ones are "10.0.0.0/8,2001:db8::1", "unix" and "anyone"`)
}

export function trustProblem(entries: readonly string[]): string | undefined {
  if (entries.includes('anyone')) return 'must have "anyone" alone, got it in a list'
  return entries.map(entryProblem).find(problem => problem !== undefined)
}
