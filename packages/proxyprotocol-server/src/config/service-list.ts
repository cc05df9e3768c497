// Services side by side: what none of them can see alone.

import { isIPv4 } from 'node:net'
import { formatPlace, type Address, type TcpAddress } from './address.ts'
import type { Service } from './schema-service.ts'

/** What is wrong with a service because of another one, or of itself. */
interface Conflict {
  readonly index: number
  readonly key: 'name' | 'listen' | 'upstream' | 'upstreams'
  readonly message: string
}

/** Two services that want the same, and services that are their own upstream. */
export function conflicts(services: readonly Service[]): readonly Conflict[] {
  return services.flatMap((service, index) => {
    const before = services.slice(0, index)
    return [nameConflict(service, before), listenConflict(service, before), loop(service)].flatMap(found =>
      found ? [{ index, ...found }] : [],
    )
  })
}

/** Names tell services apart, so two that have none of their own and the same address (port 0) get a number. */
export function named(services: readonly Service[]): readonly Service[] {
  const seen = new Map<string, number>()
  return services.map(service => {
    const count = (seen.get(service.name) ?? 0) + 1
    seen.set(service.name, count)
    return count === 1 ? service : { ...service, name: `${service.name}#${String(count)}` }
  })
}

type Found = Omit<Conflict, 'index'> | undefined

function nameConflict({ name, listen }: Service, before: readonly Service[]): Found {
  const other = before.findIndex(each => each.name === name)
  if (other === -1 || name === nameOf(listen)) return undefined
  return { key: 'name', message: `services[${String(other)}] is called ${JSON.stringify(name)} as well` }
}

function listenConflict({ listen }: Service, before: readonly Service[]): Found {
  const other = before.findIndex(each => !isAnyPort(listen) && placeName(each.listen) === placeName(listen))
  if (other === -1) return undefined
  return { key: 'listen', message: `services[${String(other)}] listens at ${placeName(listen)} already` }
}

function loop({ listen, pool }: Service): Found {
  // One that is wrong in itself comes here as it was written, without a pool.
  const { upstreams } = (pool as Service['pool'] | undefined) ?? { upstreams: [] }
  if (!upstreams.some(({ address }) => isSamePlace(listen, address))) return undefined
  return {
    key: upstreams.length === 1 ? 'upstream' : 'upstreams',
    message: 'it is the service itself, which would connect to itself for ever',
  }
}

function isAnyPort(listen: Address): boolean {
  return listen.transport === 'tcp' && listen.port === 0
}

function isSamePlace(listen: Address, upstream: Address): boolean {
  if (listen.transport === 'unix' || upstream.transport === 'unix')
    return placeName(listen) === placeName(upstream)
  const same = upstream.host === listen.host || (listen.host === undefined && isThisHost(upstream))
  return same && upstream.port === listen.port
}

/** With TLS or without, the place is the same. */
function placeName(address: Address): string {
  return formatPlace({ ...address, tls: undefined })
}

function isThisHost({ host = '' }: TcpAddress): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

/** Where a service listens, whatever it accepts there. */
export function nameOf(listen: Address): string {
  return formatPlace(listen)
}
