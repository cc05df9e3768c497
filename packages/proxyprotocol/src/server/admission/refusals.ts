// Without a report, a load balancer that is missing from `trust` looks like a server that does not answer.

import { debuglog, inspect } from 'node:util'
import type { ErrorCode, ProxyProtocolError } from '../../codec/index.ts'
import type { ConnectionInfo } from '../socket/index.ts'

/** Called with each refusal and with what is known of its connection. */
export type OnRejected = (error: ProxyProtocolError, info: ConnectionInfo) => unknown

/** Scanners on the internet must not fill a log. */
const WARNING_INTERVAL = 60_000

const debug = debuglog('proxyprotocol')

const HEADER_ADVICE = 'check the PROXY protocol settings of this peer'
const LIMIT_ADVICE = 'look for a flood of connections, or raise the limit'
const advice: Partial<Record<ErrorCode, string>> = {
  untrusted_peer: 'if this is your load balancer, add its address to trust',
  header_missing: 'let this peer send the header, or connect through the load balancer',
  header_timeout: 'let this peer send the header at once on every connection',
  client_reset: 'the peer reset the connection inside its header',
  denied_acl: 'a validator of the option validate refused it',
  tls_client_error: 'check the certificate and the TLS versions of both sides',
  limit_connections: LIMIT_ADVICE,
  limit_source: LIMIT_ADVICE,
  limit_fds: LIMIT_ADVICE,
}

export class Refusals {
  readonly #onRejected: OnRejected | undefined
  readonly #now: () => number
  readonly #warned = new Map<ErrorCode, { readonly at: number; since: number }>()

  constructor(onRejected: OnRejected | undefined, now: () => number = () => performance.now()) {
    this.#onRejected = onRejected
    this.#now = now
  }

  report(error: ProxyProtocolError, info: ConnectionInfo, isObserved: boolean): void {
    if (debug.enabled) debug('%s', describe(error, info))
    if (this.#onRejected) void call(this.#onRejected, error, info)
    else if (!isObserved && !debug.enabled) this.#warn(error, info)
  }

  #warn(error: ProxyProtocolError, info: ConnectionInfo): void {
    const last = this.#warned.get(error.code)
    const at = this.#now()
    if (last && at - last.at < WARNING_INTERVAL) {
      last.since++
      return
    }
    this.#warned.set(error.code, { at, since: 0 })
    const more = last?.since ? ` (${last.since} more with this code since the last warning)` : ''
    emitWarning(`${describe(error, info)}; set onRejected to get every refusal${more}`, error.code)
  }
}

/** Never rejects. */
async function call(onRejected: OnRejected, error: ProxyProtocolError, info: ConnectionInfo): Promise<void> {
  try {
    await onRejected(error, info)
  } catch (fault) {
    emitWarning(`onRejected failed with ${showFault(fault)}; ${describe(error, info)}`, error.code)
  }
}

function describe(error: ProxyProtocolError, { via }: ConnectionInfo): string {
  const peer = via.peer && 'address' in via.peer ? via.peer.address : 'a peer without an address'
  return `refused a connection from ${peer}: ${error.message}; ${advice[error.code] ?? HEADER_ADVICE}`
}

function emitWarning(message: string, code: ErrorCode): void {
  process.emitWarning(message, { type: 'ProxyProtocolWarning', code })
}

/** Any value can be thrown, also one whose inspection throws. */
export function showFault(value: unknown): string {
  try {
    return inspect(value)
  } catch {
    return 'a value that cannot be shown'
  }
}
