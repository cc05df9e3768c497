// Each dropped datagram and ended flow counts under one of these.

/** Why a datagram was dropped; docs/errors.md explains each. */
export const dropReasons = [
  'untrusted_peer',
  'header_missing',
  'header_invalid',
  'source_port',
  'denied_acl',
  'limit_flows',
  'limit_source',
  'limit_rate',
  'pending_full',
  'oversize',
  'reply_unknown',
  'reply_invalid',
  'reply_factor',
  'no_upstream',
  'send_error',
  'draining',
] as const

/** One of `dropReasons`. */
export type DropReason = (typeof dropReasons)[number]

/** Why a flow ended; docs/errors.md explains each. */
export const flowEnds = [
  'done',
  'idle_timeout',
  'evicted',
  'connect_refused',
  'drain_deadline',
  'aborted',
] as const

/** One of `flowEnds`. */
export type FlowEnd = (typeof flowEnds)[number]

export function zeros<W extends string>(words: readonly W[]): Record<W, number> {
  return Object.fromEntries(words.map(word => [word, 0])) as Record<W, number> // a number for each word
}
