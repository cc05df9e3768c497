// Classifies failures of connecting: only the upstream's own faults count against it.

import { ProxyProtocolError, type ErrorCode } from 'proxyprotocol'

/** With these codes no byte of the client has left, so another upstream may be tried. */
const CODES: readonly ErrorCode[] = [
  'connect_refused',
  'connect_timeout',
  'connect_error',
  'dns_error',
  'tls_upstream_error',
]

/**
 * What this machine lacks: `any` for every upstream, so no other is tried; `path` for one address only. All other
 * errors count against the upstream, also lasting local ones such as EACCES or ENETUNREACH: it cannot be reached from
 * here, and others may.
 */
const SHORTAGES: Readonly<Record<string, 'any' | 'path'>> = {
  EMFILE: 'any', // descriptors of this process
  ENFILE: 'any', // descriptors of this machine
  ENOBUFS: 'any', // buffers of the kernel
  ENOMEM: 'any', // memory
  EAI_MEMORY: 'any', // memory, while looking up a name
  EADDRNOTAVAIL: 'path', // local ports, whose number is limited per remote address and port
  EADDRINUSE: 'path', // the same, if the port was chosen before the address was known
}

/** True if the upstream is at fault, not the client or this machine. */
export function isUpstreamFault(error: unknown): error is ProxyProtocolError {
  return isConnectFault(error) && shortageOf(error) === undefined
}

/** True if another upstream may work. */
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
