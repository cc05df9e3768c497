// What went wrong while connecting, and whose fault it was: only the upstream's own counts against it.

import { ProxyProtocolError, type ErrorCode } from 'proxyprotocol'

/** With these connecting has failed before a byte of the client left; any other upstream may be tried. */
const CODES: readonly ErrorCode[] = [
  'connect_refused',
  'connect_timeout',
  'connect_error',
  'dns_error',
  'tls_upstream_error',
]

/** This process or machine has run out of something: that says nothing of the upstream, and holds for all others too. */
const SHORTAGES: readonly unknown[] = ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']

/** Whether the upstream, and not the client or this machine, is why connecting failed. */
export function isUpstreamFault(error: unknown): error is ProxyProtocolError {
  if (!(error instanceof ProxyProtocolError) || !CODES.includes(error.code)) return false
  const cause = error.cause as { readonly code?: unknown } | undefined // the system's error, where there is one
  return !SHORTAGES.includes(cause?.code)
}
