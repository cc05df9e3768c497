// Services side by side: what none of them can see alone.

import { isIPv4 } from 'node:net'
import { formatAddress, type Address } from './address.ts'
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
  const other = before.findIndex(each => listen.port !== 0 && nameOf(each.listen) === nameOf(listen))
  if (other === -1) return undefined
  return { key: 'listen', message: `services[${String(other)}] listens at ${nameOf(listen)} already` }
}

function loop({ listen, pool }: Service): Found {
  // One that is wrong in itself comes here as it was written, without a pool.
  const { upstreams } = (pool as Service['pool'] | undefined) ?? { upstreams: [] }
  const itself = upstreams.some(({ address }) => {
    const same = address.host === listen.host || (listen.host === undefined && isThisHost(address))
    return same && address.port === listen.port
  })
  if (!itself) return undefined
  return {
    key: upstreams.length === 1 ? 'upstream' : 'upstreams',
    message: 'it is the service itself, which would connect to itself for ever',
  }
}

function isThisHost({ host = '' }: Address): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

/** Where a service listens, whatever it accepts there. */
export function nameOf(listen: Address): string {
  return formatAddress({ ...listen, pp: undefined })
}
