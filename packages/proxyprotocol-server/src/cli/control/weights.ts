// Weights that an operator has set. They are laid over the file's configuration, which all workers get as at a reload.

import {
  branchesOf,
  type Configuration,
  formatEndpoint,
  isNamed,
  type Pool,
  type Service,
} from '../../config/index.ts'

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
    [service, ...branchesOf(service)].flatMap(({ pool }) =>
      pool.upstreams.map(({ name, address, weight }) => ({
        service: service.name,
        upstream: name,
        address: formatEndpoint(address),
        weight,
      })),
    ),
  )
  return [
    ...new Map(all.map(each => [JSON.stringify([each.service, each.upstream, each.address]), each])).values(),
  ]
}

export function isTargeted(each: UpstreamTarget, { service, upstream }: UpstreamTarget): boolean {
  return isNamed(each.service, service) && each.upstream === upstream
}

export function isSame(one: Placed, other: Placed): boolean {
  return one.service === other.service && one.upstream === other.upstream && one.address === other.address
}

function adjustedService(service: Service, weights: readonly SetWeight[]): Service {
  const ours = weights.filter(each => each.service === service.name)
  if (ours.length === 0) return service
  const { passthrough, tls } = service
  const withPool = <S extends { readonly pool: Pool }>(each: S): S => ({
    ...each,
    pool: adjustedPool(each.pool, ours),
  })
  return {
    ...withPool(service),
    passthrough: passthrough && {
      ...passthrough,
      routes: passthrough.routes.map(withPool),
      fallback: passthrough.fallback && withPool(passthrough.fallback),
    },
    tls: tls && { ...tls, routes: tls.routes.map(withPool) },
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
