// TLS to an upstream: the options of tls.connect(), checked before a connection is opened.

import { isIP } from 'node:net'
import { createSecureContext, type ConnectionOptions } from 'node:tls'
import { quote } from '../../checks/index.ts'

/**
 * Options of `tls.connect()` without the target. `servername` is by default the host, unless that is an IP address.
 */
export type TlsOptions = Omit<ConnectionOptions, 'host' | 'port' | 'path' | 'socket' | 'lookup' | 'timeout'>

/** Throws what Node throws for a key or certificate that it cannot read. */
export function tlsSettings(
  tls: boolean | TlsOptions | undefined,
  host: string = 'localhost',
): ConnectionOptions | undefined {
  if (tls === undefined || tls === false) return undefined
  const options = tls === true ? {} : tls
  if (!isObject(options)) {
    throw new TypeError(`tls must be true, false or the options of tls.connect(), got ${quote(tls)}`)
  }
  const { servername = isIP(host) ? '' : host, secureContext = createSecureContext(options) } = options
  return { ...options, host, servername, secureContext } // Node checks the certificate against the host if no name is given
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
