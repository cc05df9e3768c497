// TLS options, checked before a connection is opened.

import { isIP } from 'node:net'
import { createSecureContext, type ConnectionOptions } from 'node:tls'
import { quote } from '../../checks/index.ts'

/**
 * Options of `tls.connect()` without the target. Default `servername`: the host, unless it is an IP address.
 */
export type TlsOptions = Omit<ConnectionOptions, 'host' | 'port' | 'path' | 'socket' | 'lookup' | 'timeout'>

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
  return { ...options, host, servername, secureContext } // without a name Node checks the host
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
