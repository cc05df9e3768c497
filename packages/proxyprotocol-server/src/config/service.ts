// A service pairs the two addresses and settles, from what they say of the PROXY protocol, which header the relay sends.

import { formatAddress, parseAddress } from './address.ts'
import type { Address } from './address.ts'
import { ConfigError } from './config-error.ts'

/** An upstream without `pp` counts as `detect` in the Python library, and a detecting sender writes version 2. */
const SENT = { v1: 'v1', v2: 'v2', detect: 'v2', noop: 'none' } as const

/** One relay: connections accepted at `listen` go on to `upstream`, each behind a header. */
export interface Service {
  readonly listen: Address
  readonly upstream: Address
  /** The header that `upstream` is sent; `'none'` relays the bytes alone. */
  readonly header: 'v1' | 'v2' | 'none'
}

/**
 * Reads the two address strings of `--service SOURCE DEST`.
 *
 * DEST gets a version 2 header, or what its `pp` says: `v1`, `v2`, `detect` (version 2) or `noop` (none).
 *
 * @throws {ConfigError} when one is no address ({@link parseAddress}), or SOURCE expects a header, which the relay
 * cannot accept yet.
 *
 * @example
 * ```ts
 * import { parseService } from 'proxyprotocol-server'
 *
 * parseService(':10007', '192.0.2.1:8080?pp=v1').header // 'v1'
 * ```
 */
export function parseService(source: string, dest: string): Service {
  const listen = parseAddress(source, { role: 'listen' })
  if (listen.pp !== undefined && listen.pp !== 'noop') {
    const example = formatAddress({ ...listen, pp: undefined })
    throw new ConfigError(
      `listen address ${JSON.stringify(source)}: accepting headers ("pp" is "${listen.pp}") is not supported ` +
        `by this version yet; a right one is "${example}"`,
    )
  }
  const upstream = parseAddress(dest, { role: 'upstream' })
  return { listen, upstream, header: SENT[upstream.pp ?? 'detect'] }
}
