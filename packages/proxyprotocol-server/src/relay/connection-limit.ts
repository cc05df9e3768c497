// How many connections the relays of a process may have, so that none of them runs out of descriptors.

import { descriptorLimit } from 'proxyprotocol/server'
import type { Service } from '../config/index.ts'

/** The accepted socket and the one upstream. */
const DESCRIPTORS_PER_CONNECTION = 2
/** Left to the rest of the process: listeners, files, name look-ups. */
const SPARE_DESCRIPTORS = 64

/**
 * How many connections a relay may have, by the limit on open files: each takes two, and the relays of a process share
 * them equally. `Infinity` where the system does not tell.
 *
 * @param services relays in this process.
 * @throws RangeError when that is no number of relays.
 *
 * @example
 * ```ts run
 * import { connectionLimit } from 'proxyprotocol-server'
 *
 * connectionLimit(2, 1_024) // 240
 * ```
 */
export function connectionLimit(services = 1, descriptors: number = descriptorLimit() ?? Infinity): number {
  if (!Number.isInteger(services) || services < 1) {
    throw new RangeError(`services must be an integer of at least 1, got ${services}`)
  }
  const forAll = Math.floor((descriptors - SPARE_DESCRIPTORS) / DESCRIPTORS_PER_CONNECTION)
  return Math.max(1, Math.floor(forAll / services))
}

/** The services of one process, each with a limit on its connections. */
export function withConnectionLimits(services: readonly Service[]): readonly Service[] {
  return services.map(service => withConnectionLimit(service, services.length))
}

/** A service with a limit on its connections. */
export function withConnectionLimit(service: Service, services = 1): Service {
  const connections = shareOf(service, services)
  return { ...service, limits: { ...service.limits, connections } }
}

/** How many connections a service may have: as it says itself, or its share of what the process can have. */
export function shareOf({ limits }: Pick<Service, 'limits'>, services: number): number {
  return limits.connections ?? connectionLimit(services)
}
