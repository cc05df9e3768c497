// Which clients count as encrypted although their TLS ended at the load balancer. Frameworks read it as `socket.encrypted`.

import { checkNames, integer, quote } from '../../checks/index.ts'
import type { ConnectionInfo } from '../socket/index.ts'

/**
 * How a server knows that a client used TLS up to the load balancer. `'header'`: the header has an SSL TLV that says
 * so. `{ ports: [443] }`: the header's destination has one of these ports. Or a function.
 */
export type Secure = 'header' | { readonly ports: readonly number[] } | ((info: ConnectionInfo) => boolean)

const PORTS = [1, 65_535] as const

/**
 * Compiles the option into a question about a connection.
 *
 * @throws TypeError or RangeError naming what is wrong.
 */
export function compileSecure(secure: Secure | undefined): ((info: ConnectionInfo) => boolean) | undefined {
  if (secure === undefined) return undefined
  if (secure === 'header') return ({ ssl }) => ssl?.encrypted === true
  if (typeof secure === 'function') return info => checkVerdict(secure(info))
  const { ports: given } = Object(secure) as { readonly ports?: unknown } // callers without types may pass anything
  if (!Array.isArray(given)) {
    throw new TypeError(`secure must be 'header', { ports: [443] } or a function, got ${quote(secure)}`)
  }
  checkNames(secure, ['ports'], 'secure')
  const ports = new Set(secure.ports.map(port => integer(port, PORTS, 'secure.ports')))
  // Without a header that names it the destination is a port of this machine, and TLS would end here.
  return ({ destination, via }) =>
    destination !== via.local &&
    destination !== undefined &&
    'port' in destination &&
    ports.has(destination.port)
}

/** @throws TypeError for a promise above all, which is true for `if`. */
function checkVerdict(verdict: unknown): boolean {
  if (typeof verdict === 'boolean') return verdict
  if (verdict instanceof Promise) verdict.catch(() => undefined) // otherwise its rejection would end the process
  throw new TypeError(`secure must return true or false at once, got ${quote(verdict)}`)
}
