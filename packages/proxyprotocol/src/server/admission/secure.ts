// Which clients count as encrypted although their TLS ended at the load balancer.

import { checkNames, integer, quote } from '../../checks/index.ts'
import type { ConnectionInfo } from '../socket/index.ts'

/**
 * How a server knows that a client used TLS up to the load balancer. `'header'` looks for the header's SSL TLV, and
 * `{ ports: [443] }` at the header's destination port. Or a function decides.
 */
export type Secure = 'header' | { readonly ports: readonly number[] } | ((info: ConnectionInfo) => boolean)

const PORTS = [1, 65_535] as const

export function compileSecure(secure: Secure | undefined): ((info: ConnectionInfo) => boolean) | undefined {
  if (secure === undefined) return undefined
  if (secure === 'header') return ({ ssl }) => ssl?.encrypted === true
  if (typeof secure === 'function') return info => checkVerdict(secure(info))
  const { ports: given } = Object(secure) as { readonly ports?: unknown } // without types it may be anything
  if (!Array.isArray(given)) {
    throw new TypeError(`secure must be 'header', { ports: [443] } or a function, got ${quote(secure)}`)
  }
  checkNames(secure, ['ports'], 'secure')
  const ports = new Set(secure.ports.map(port => integer(port, PORTS, 'secure.ports')))
  // Without a header the destination is a port of this machine, and TLS would end here.
  return ({ destination, via }) =>
    destination !== via.local &&
    destination !== undefined &&
    'port' in destination &&
    ports.has(destination.port)
}

/** A promise would count as true. */
function checkVerdict(verdict: unknown): boolean {
  if (typeof verdict === 'boolean') return verdict
  if (verdict instanceof Promise) verdict.catch(() => undefined) // otherwise its rejection would end the process
  throw new TypeError(`secure must return true or false at once, got ${quote(verdict)}`)
}
