// Rules between services, which none of them can check alone.

import { isIPv4 } from 'node:net'
import { normalize } from 'node:path'
import {
  type Address,
  formatEndpoint,
  leavesIPv4,
  overlap,
  overlapHint,
  addressKey,
  type UnixAddress,
} from '../address/index.ts'
import type { Pool } from '../pool.ts'
import { nearest } from '../text/index.ts'
import type { Service } from './service.ts'
import { branchesOf } from './tls/index.ts'

interface Conflict {
  readonly index: number
  readonly path: readonly (string | number)[]
  readonly message: string
}

interface Placed {
  readonly index: number
  readonly service: Service
}

interface Unsettled extends Omit<Service, 'listen'> {
  readonly listen: readonly Address[]
}

/** A faulty service comes as it was written, except for its addresses. */
export function placedServices(entry: readonly Service[] | Unsettled, index: number): readonly Placed[] {
  const services = 'listen' in entry ? entry.listen.map(listen => ({ ...entry, listen })) : entry
  return services.map(service => ({ index, service }))
}

export function conflicts(placed: readonly Placed[]): readonly Conflict[] {
  const byPlace = grouped(placed, placeOf)
  const byName = grouped(placed, ({ service }) => givenName(service.name))
  return placed.flatMap(each => {
    const { service, index } = each
    const neighbours = byPlace.get(placeOf(each)) as readonly Placed[] // it is one of them
    const namesakes = byName.get(givenName(service.name)) as readonly Placed[] // as above
    const listen = overlapWith(service.listen, before(each, neighbours), neighbours)
    const found = [
      nameConflict(service, before(each, namesakes), index),
      listen === undefined ? undefined : { path: ['listen'], message: listen },
      ...loops(service),
    ]
    return found.flatMap(each => (each ? [{ index, ...each }] : []))
  })
}

/** Comparing all services with all would take a second for 2,000. */
function grouped<Key>(
  placed: readonly Placed[],
  keyOf: (each: Placed) => Key,
): ReadonlyMap<Key, readonly Placed[]> {
  const groups = new Map<Key, Placed[]>()
  for (const each of placed) {
    const key = keyOf(each)
    const group = groups.get(key)
    if (group) group.push(each)
    else groups.set(key, [each])
  }
  return groups
}

function before(each: Placed, group: readonly Placed[]): readonly Placed[] {
  return group.slice(0, group.indexOf(each))
}

/** At port 0 a service overlaps with no other. */
function placeOf(placed: Placed): unknown {
  const { listen } = placed.service
  if (listen.transport === 'unix') return normalize(listen.path)
  return listen.port === 0 ? placed : `${listen.transport} ${String(listen.port)}`
}

export function isNamed(service: string, name: string): boolean {
  return service === name || service.startsWith(`${name}/`)
}

export function unknownNames(
  names: readonly string[],
  placed: readonly Placed[],
): readonly { readonly at: number; readonly message: string }[] {
  const known = placed.map(({ service }) => service.name)
  return names.flatMap((name, at) => {
    if (known.some(each => isNamed(each, name))) return []
    const meant = nearest(name, known)
    const hint = meant === undefined ? `; there are ${known.join(', ')}` : `; did you mean "${meant}"?`
    return [{ at, message: `must be the name of a service, got ${JSON.stringify(name)}${hint}` }]
  })
}

export function overlapWith(
  listen: Address,
  placed: readonly Placed[],
  all: readonly Placed[] = placed,
): string | undefined {
  const places = all.map(({ service }) => service.listen)
  const found = placed.find(({ service }) => overlap(listen, service.listen, places))
  if (found === undefined) return undefined
  const { index, service: other } = found
  return (
    `must not overlap with ${addressKey(other.listen)}, where services[${String(index)}] (${JSON.stringify(other.name)}) listens, ` +
    `got ${addressKey(listen)}${overlapHint(listen, other.listen)}`
  )
}

export function settled(services: readonly Service[]): readonly Service[] {
  const places = services.map(({ listen }) => listen)
  return named(services).map(each => ({ ...each, ipv6Only: leavesIPv4(each.listen, places) }))
}

function named(services: readonly Service[]): readonly Service[] {
  const seen = new Map<string, number>()
  return services.map(service => {
    const count = (seen.get(service.name) ?? 0) + 1
    seen.set(service.name, count)
    return count === 1 ? service : { ...service, name: `${service.name}#${String(count)}` }
  })
}

type Found = Omit<Conflict, 'index'> | undefined

function nameConflict({ name, listen }: Service, before: readonly Placed[], index: number): Found {
  const given = givenName(name)
  const other = before.find(each => each.index !== index && givenName(each.service.name) === given)
  if (other === undefined || name === nameOf(listen)) return undefined
  return {
    path: ['name'],
    message: `must be another name than that of services[${String(other.index)}], got ${JSON.stringify(given)}`,
  }
}

function givenName(name: string | undefined): string | undefined {
  return name?.split('/')[0]
}

function loops(service: Service): readonly Found[] {
  const { listen, pool } = service
  // A faulty service comes as it was written, without a pool.
  if ((pool as Pool | undefined) === undefined) return []
  const pools = [
    { path: [pool.upstreams.length === 1 ? 'upstream' : 'upstreams'], pool },
    ...branchesOf(service),
  ]
  const message = 'must not be where the service itself listens, because it would connect to itself'
  return pools
    .filter(({ pool: { upstreams } }) => upstreams.some(({ address }) => isSamePlace(listen, address)))
    .map(({ path }) => ({ path, message }))
}

function isSamePlace(listen: Address, upstream: Address): boolean {
  if (listen.transport === 'unix' || upstream.transport === 'unix')
    return addressKey(listen) === addressKey(upstream)
  const same = upstream.host === listen.host || (listen.host === undefined && isThisHost(upstream))
  return same && upstream.port === listen.port && upstream.transport === listen.transport
}

function isThisHost({ host = '' }: Exclude<Address, UnixAddress>): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

export function nameOf(listen: Address): string {
  return formatEndpoint(listen)
}
