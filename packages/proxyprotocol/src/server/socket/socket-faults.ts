// Maps the errors of sockets to reasons, by the codes of operating systems, Node and OpenSSL.

import { isNativeError } from 'node:util/types'

const networkErrors = [
  ...['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ENOTCONN', 'ETIMEDOUT'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'ENETRESET'],
]

export function clientFault(error: unknown): 'client_reset' | 'tls_client_error' | undefined {
  // In Jest's realm Node's errors are no instances of `Error`.
  const code = isNativeError(error) && 'code' in error ? String(error.code) : '' // a DOMException's is a number
  if (networkErrors.includes(code)) return 'client_reset'
  const breaksTls = code === 'EPROTO' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')
  return breaksTls ? 'tls_client_error' : undefined
}
