// What went wrong while connecting, and whose fault it was: only the upstream's own counts against it.

import { ProxyProtocolError, type ErrorCode } from 'proxyprotocol'

/** With these codes connecting has failed before a byte of the client left; any other upstream may be tried. */
const CODES: readonly ErrorCode[] = [
  'connect_refused',
  'connect_timeout',
  'connect_error',
  'dns_error',
  'tls_upstream_error',
]

/**
 * What this machine lacks: `any` for every upstream, so that no other one is tried; `path` towards one address only. All
 * other errors count against the upstream, local ones that last too (EACCES and EPERM of a firewall or a UNIX socket,
 * ENETUNREACH, EHOSTUNREACH, EAFNOSUPPORT, EINVAL): from here it cannot be reached, and others may be.
 */
const SHORTAGES: Readonly<Record<string, 'any' | 'path'>> = {
  EMFILE: 'any', // descriptors of this process
  ENFILE: 'any', // descriptors of this machine
  ENOBUFS: 'any', // buffers of the kernel
  ENOMEM: 'any', // memory
  EAI_MEMORY: 'any', // memory, while looking up a name
  EADDRNOTAVAIL: 'path', // local ports: each address and port of an upstream has as many as there are
  EADDRINUSE: 'path', // the same, if the port was chosen before the address was known
}

/** Whether the upstream, and not the client or this machine, is why connecting failed. */
export function isUpstreamFault(error: unknown): error is ProxyProtocolError {
  return isConnectFault(error) && shortageOf(error) === undefined
}

/** Whether connecting to another upstream may go well. */
export function mayTryAnother(error: unknown): error is ProxyProtocolError {
  return isConnectFault(error) && shortageOf(error) !== 'any'
}

function isConnectFault(error: unknown): error is ProxyProtocolError {
  return error instanceof ProxyProtocolError && CODES.includes(error.code)
}

function shortageOf({ cause }: ProxyProtocolError): 'any' | 'path' | undefined {
  const { code } = (cause ?? {}) as { readonly code?: unknown } // the system's error, where there is one
  return typeof code === 'string' ? SHORTAGES[code] : undefined
}
