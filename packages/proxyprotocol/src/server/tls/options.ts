// OpenSSL reports mistakes as a number, or only to the first client.

import type { TlsOptions } from 'node:tls'
import { inspect } from 'node:util'

const HELD_AS_PEM = ['key', 'cert', 'ca'] as const

/** Never shows what a key holds. */
export function checkTls(tls: unknown): asserts tls is TlsOptions | undefined {
  if (tls === undefined) return
  if (typeof tls !== 'object' || tls === null) {
    const got = inspect(tls, { depth: 0 })
    throw new TypeError(
      `tls must be an object with the options of tls.createServer(), as { key, cert }, got ${got}`,
    )
  }
  if ('handshakeTimeout' in tls) {
    throw new TypeError('tls.handshakeTimeout must be left out; did you mean timeouts.handshake?')
  }
  const options: Partial<Record<string, unknown>> = { ...tls }
  for (const name of HELD_AS_PEM) {
    const value = options[name]
    if (typeof value !== 'string' || value.includes('-----BEGIN')) continue
    throw new TypeError(
      `tls.${name} must be PEM, which has a line with -----BEGIN, got ${value.length} characters without one; ` +
        'did you mean readFileSync() of that path?',
    )
  }
  const { key, cert, pfx, privateKeyIdentifier } = options
  const isElsewhere = pfx !== undefined || privateKeyIdentifier !== undefined
  if (isElsewhere || (key === undefined) === (cert === undefined)) return
  const [given, missing] = key === undefined ? ['cert', 'key'] : ['key', 'cert']
  throw new TypeError(`tls must have key and cert together, got ${given} without ${missing}`)
}
