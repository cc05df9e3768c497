// Why connections end: a closed vocabulary, shared by stats, logs, metrics and error codes.

import type { ProxyProtocolError } from '../../codec/index.ts'

/** All reasons, in the order in which a connection can meet them. */
export const closeReasons = [
  'done',
  'probe',
  'client_reset',
  'upstream_reset',
  'idle_timeout',
  'half_close_timeout',
  'header_timeout',
  'header_missing',
  'header_invalid',
  'untrusted_peer',
  'denied_acl',
  'denied_dnsbl',
  'limit_connections',
  'limit_source',
  'limit_rate',
  'limit_fds',
  'tls_client_error',
  'tls_upstream_error',
  'dns_error',
  'connect_refused',
  'connect_timeout',
  'connect_error',
  'no_upstream',
  'limit_upstream',
  'queue_timeout',
  'upstream_removed',
  'handler_error',
  'drain_deadline',
  'aborted',
] as const

/** The reason for which a connection ended. */
export type CloseReason = (typeof closeReasons)[number]

/** A fault in a header's bytes is always `header_invalid`. */
export function reasonOf(error: ProxyProtocolError): CloseReason {
  return closeReasons.find(reason => reason === error.code) ?? 'header_invalid'
}

export function emptyCounters(): Record<CloseReason, number> {
  const counters = Object.fromEntries(closeReasons.map(reason => [reason, 0]))
  return counters as Record<CloseReason, number> // one entry for each reason
}
