// The limit on connections of the relays of a process, so that descriptors never run out.

import { descriptorLimit } from 'proxyprotocol/server'
import type { Service } from '../config/index.ts'

const DESCRIPTORS_PER_CONNECTION = 2
const SPARE_DESCRIPTORS = 64

/**
 * The connections of one relay, by the limit on open files: each takes two, and relays share them equally. `Infinity`
 * if the limit is unknown.
 *
 * @param services relays in this process.
 * @throws RangeError if that is not a positive integer.
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

export function withConnectionLimits(services: readonly Service[]): readonly Service[] {
  const share = shareOf(services)
  return services.map(service => withConnectionLimit(service, share))
}

export function shareOf(services: readonly Service[]): number {
  return connectionLimit(Math.max(1, services.length))
}

export function withConnectionLimit(service: Service, share?: number): Service {
  const connections = service.limits.connections ?? share ?? connectionLimit()
  return { ...service, limits: { ...service.limits, connections } }
}
