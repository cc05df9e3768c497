// A service pairs the two addresses and settles, from what they say of the PROXY protocol, which headers the relay accepts
// and sends.

import { parseAddress, type Address } from './address.ts'
import { ConfigError } from './config-error.ts'
import type { TrustList } from './trust.ts'

/** An upstream without `pp` counts as `detect` in the Python library, and a detecting sender writes version 2. */
const SENT = { v1: 'v1', v2: 'v2', detect: 'v2', noop: 'none' } as const

/** Which headers are accepted, and from whom. */
export interface Acceptance {
  readonly version: 'v1' | 'v2' | 'detect'
  readonly trust: TrustList
}

/** One relay: connections accepted at `listen` go on to `upstream`, each behind a header. */
export interface Service {
  readonly listen: Address
  readonly upstream: Address
  /** The headers that connections at `listen` have to start with; undefined where they have none. */
  readonly accepts: Acceptance | undefined
  /** The header that `upstream` is sent; `'none'` relays the bytes alone. */
  readonly header: 'v1' | 'v2' | 'none'
}

/** What a service needs besides its addresses. */
export interface ServiceOptions {
  /** Whose headers are believed; required, and of use, only where SOURCE says `pp`. See {@link parseTrust}. */
  readonly trust?: TrustList | undefined
}

/**
 * Reads the two address strings of `--service SOURCE DEST`.
 *
 * Connections at SOURCE have no header unless its `pp` says which: `v1`, `v2` or `detect` (either). DEST gets a version 2
 * header, or what its `pp` says: `v1`, `v2`, `detect` (version 2) or `noop` (none).
 *
 * @throws {ConfigError} when one is no address ({@link parseAddress}), or SOURCE expects headers and nobody is trusted.
 *
 * @example
 * ```ts
 * import { parseService } from 'proxyprotocol-server'
 *
 * parseService(':10007', '192.0.2.1:8080?pp=v1').header // 'v1'
 * parseService(':10007?pp=detect', '192.0.2.1:8080', { trust: ['10.0.0.0/8'] }).accepts?.version // 'detect'
 * ```
 */
export function parseService(source: string, dest: string, options: ServiceOptions = {}): Service {
  const listen = parseAddress(source, { role: 'listen' })
  const upstream = parseAddress(dest, { role: 'upstream' })
  const accepts = acceptance(source, listen, options)
  return { listen, upstream, accepts, header: SENT[upstream.pp ?? 'detect'] }
}

function acceptance(
  source: string,
  { pp = 'noop' }: Address,
  { trust }: ServiceOptions,
): Acceptance | undefined {
  if (pp === 'noop') return undefined
  if (trust !== undefined) return { version: pp, trust }
  throw new ConfigError(
    `listen address ${JSON.stringify(source)}: "pp" is "${pp}", so say whose headers are to be believed, with the ` +
      'addresses of the proxies in front: --trust 10.0.0.0/8,2001:db8::1; "--trust anyone" believes whoever connects',
  )
}
