// Weights that an operator has set. They are laid over the file's configuration, which all workers get as at a reload.

import { type Configuration, formatEndpoint, isNamed, type Pool, type Service } from '../../config/index.ts'

export interface SetWeight {
  readonly service: string
  readonly upstream: string
  readonly address: string
  readonly weight: number
}

export type UpstreamTarget = Pick<SetWeight, 'service' | 'upstream'>
type Placed = Omit<SetWeight, 'weight'>

/** The weight of the file is not kept. */
export function withWeight(
  weights: readonly SetWeight[],
  file: Configuration,
  { target, weight }: { readonly target: UpstreamTarget; readonly weight: number | undefined },
): readonly SetWeight[] {
  const others = weights.filter(each => !isTargeted(each, target))
  if (weight === undefined) return others
  const set = configured(file)
    .filter(each => isTargeted(each, target) && each.weight !== weight)
    .map(each => ({ ...each, weight }))
  return [...others, ...set]
}

/** Those whose upstream stays, at the same address. */
export function keptWeights(weights: readonly SetWeight[], file: Configuration): readonly SetWeight[] {
  if (weights.length === 0) return weights
  const known = configured(file)
  return weights.filter(set => known.some(each => isSame(each, set) && each.weight !== set.weight))
}

export function adjusted(file: Configuration, weights: readonly SetWeight[]): Configuration {
  if (weights.length === 0) return file
  return { ...file, services: file.services.map(service => adjustedService(service, weights)) }
}

/** Each upstream once for each of its services. */
export function configured(file: Configuration): readonly SetWeight[] {
  const all = file.services.flatMap(service =>
    poolsOf(service).flatMap(({ upstreams }) =>
      upstreams.map(({ name, address, weight }) => ({
        service: service.name,
        upstream: name,
        address: formatEndpoint(address),
        weight,
      })),
    ),
  )
  return all.filter((each, at) => all.findIndex(other => isSame(other, each)) === at)
}

export function isTargeted(each: UpstreamTarget, { service, upstream }: UpstreamTarget): boolean {
  return isNamed(each.service, service) && each.upstream === upstream
}

export function isSame(one: Placed, other: Placed): boolean {
  return one.service === other.service && one.upstream === other.upstream && one.address === other.address
}

function poolsOf({ pool, passthrough }: Service): readonly Pool[] {
  const { routes = [], fallback } = passthrough ?? {}
  return [pool, ...routes.map(route => route.pool), ...(fallback ? [fallback.pool] : [])]
}

function adjustedService(service: Service, weights: readonly SetWeight[]): Service {
  const ours = weights.filter(each => each.service === service.name)
  if (ours.length === 0) return service
  const { passthrough } = service
  return {
    ...service,
    pool: adjustedPool(service.pool, ours),
    passthrough: passthrough && {
      ...passthrough,
      routes: passthrough.routes.map(route => ({ ...route, pool: adjustedPool(route.pool, ours) })),
      fallback: passthrough.fallback && {
        ...passthrough.fallback,
        pool: adjustedPool(passthrough.fallback.pool, ours),
      },
    },
  }
}

function adjustedPool(pool: Pool, weights: readonly SetWeight[]): Pool {
  const upstreams = pool.upstreams.map(each => {
    const address = formatEndpoint(each.address)
    const set = weights.find(({ upstream, address: at }) => upstream === each.name && at === address)
    return set ? { ...each, weight: set.weight } : each
  })
  return { ...pool, upstreams }
}
