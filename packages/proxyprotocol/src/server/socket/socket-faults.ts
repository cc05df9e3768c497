// What a socket's error says of who is to blame, by the codes of the operating systems, of Node and of OpenSSL.

import { isNativeError } from 'node:util/types'

/** How the network ends a connection. */
const networkErrors = [
  ...['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ENOTCONN', 'ETIMEDOUT'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'ENETRESET'],
]

/** The reason for the end that the client caused; undefined for errors of this side. */
export function clientFault(error: unknown): 'client_reset' | 'tls_client_error' | undefined {
  // Jest gives a test an `Error` of its own, of which the errors of Node are no instances.
  const code = isNativeError(error) && 'code' in error ? String(error.code) : '' // a DOMException's is a number
  if (networkErrors.includes(code)) return 'client_reset'
  const breaksTls = code === 'EPROTO' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')
  return breaksTls ? 'tls_client_error' : undefined
}
