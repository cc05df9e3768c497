// The latest clients that were turned away, and what an operator can do about each.

import type { Endpoint } from 'proxyprotocol'
import type { CloseReason } from 'proxyprotocol/server'

const MOST = 50
/** Some messages quote what a client has sent. */
const MESSAGE_LENGTH = 200

type RefusalReason = Extract<
  CloseReason,
  | `header_${string}`
  | `denied_${string}`
  | `limit_${string}`
  | 'untrusted_peer'
  | 'tls_client_error'
  | 'queue_timeout'
>

const advice: Readonly<Record<RefusalReason, string>> = {
  header_timeout: 'Let this peer send the header at once on every connection.',
  header_missing: 'Let this peer send the header, or connect through the load balancer.',
  header_invalid: 'Check the PROXY protocol settings of this peer.',
  untrusted_peer: 'If this is your load balancer, add its address to `trust`.',
  denied_acl: 'If this client may connect, change `allow` or `deny`.',
  denied_dnsbl: 'If this client may connect, change `dnsbl.action`.',
  limit_connections: 'Look for a flood of connections, or raise `limits`.',
  limit_source: 'If many clients share this address, raise `limits.perSource`.',
  limit_rate: 'If this client may connect so fast, raise `rate`, or add it to `rate.exempt`.',
  limit_fds: 'Raise the limit on open files (`LimitNOFILE`), or lower `limits.connections`.',
  tls_client_error: 'Check the certificate and the TLS versions of both sides.',
  limit_upstream: 'Add upstreams, or raise `maxConnections` or `queue.size`.',
  queue_timeout: 'Add upstreams, or raise `maxConnections` or `queue.timeout`.',
}

/** One client that was turned away. */
export interface Refusal {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly time: number
  readonly service: string
  readonly peer: Endpoint | undefined
  readonly source: Endpoint | undefined
  readonly reason: RefusalReason
  readonly message: string
}

export function isRefusal(reason: CloseReason): reason is RefusalReason {
  return reason in advice
}

export function adviceOn({ reason }: Refusal): string {
  return advice[reason]
}

export class LatestRefusals {
  #list: readonly Refusal[] = []

  /** The newest first. */
  get list(): readonly Refusal[] {
    return this.#list
  }

  add(refusal: Refusal): void {
    const message = refusal.message.slice(0, MESSAGE_LENGTH)
    this.#list = [{ ...refusal, message }, ...this.#list.slice(0, MOST - 1)]
  }
}

export function mergedRefusals(lists: readonly (readonly Refusal[])[]): readonly Refusal[] {
  return lists
    .flat()
    .sort((one, other) => other.time - one.time)
    .slice(0, MOST)
}
