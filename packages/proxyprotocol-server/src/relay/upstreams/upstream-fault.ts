// Classifies failures of connecting: only the upstream's own faults count against it.

import { ProxyProtocolError, type ErrorCode } from 'proxyprotocol'

/** No byte of the client has left, so another upstream may be tried. */
const CODES: readonly ErrorCode[] = [
  'connect_refused',
  'connect_timeout',
  'connect_error',
  'dns_error',
  'tls_upstream_error',
]

/** `any`: no other upstream is tried. All other errors count against the upstream, also EACCES or ENETUNREACH. */
const SHORTAGES: Readonly<Record<string, 'any' | 'path'>> = {
  EMFILE: 'any', // descriptors of this process
  ENFILE: 'any', // descriptors of this machine
  ENOBUFS: 'any',
  ENOMEM: 'any',
  EAI_MEMORY: 'any', // while looking up a name
  EADDRNOTAVAIL: 'path', // local ports, limited per remote address and port
  EADDRINUSE: 'path', // the same, if the port was chosen before the address was known
}

export function isUpstreamFault(error: unknown): error is ProxyProtocolError {
  return isConnectFault(error) && shortageOf(error) === undefined
}

export function mayTryAnother(error: unknown): error is ProxyProtocolError {
  return isConnectFault(error) && shortageOf(error) !== 'any'
}

function isConnectFault(error: unknown): error is ProxyProtocolError {
  return error instanceof ProxyProtocolError && CODES.includes(error.code)
}

function shortageOf({ cause }: ProxyProtocolError): 'any' | 'path' | undefined {
  const { code } = (cause ?? {}) as { readonly code?: unknown } // the system's error, if there is one
  return typeof code === 'string' ? SHORTAGES[code] : undefined
}
