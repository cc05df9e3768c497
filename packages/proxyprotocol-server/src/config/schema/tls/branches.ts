import { nameConflict, type Pool, type UpstreamInit } from '../../pool.ts'
import type { CheckedListenTls, ListenTls } from './listen-tls.ts'
import type { CheckedPassthrough, Passthrough } from './passthrough.ts'
import type { CheckedRoute, Route } from './routes.ts'

/** Upstreams of a service beside its own. */
export interface Branch {
  /** Unique in its service: a server name, a name and a protocol such as `*` and `h2`, or `(fallback)`. */
  readonly label: string
  /** Its place within the service. */
  readonly path: readonly (string | number)[]
  readonly pool: Pool
}

interface Branching {
  readonly passthrough: Passthrough | undefined
  readonly tls: ListenTls | undefined
}

interface CheckedBranching {
  readonly passthrough?: CheckedPassthrough | undefined
  readonly tls?: CheckedListenTls | undefined
}

type PoolOf = (upstreams: readonly UpstreamInit[]) => Pool

export function branchesOf({ passthrough, tls }: Branching): readonly Branch[] {
  const { routes = [], fallback } = passthrough ?? {}
  return [
    ...routesAt('passthrough', routes),
    ...routesAt('tls', tls?.routes ?? []),
    // A server name has no brackets.
    ...(fallback
      ? [{ label: '(fallback)', path: ['passthrough', 'fallback', 'upstreams'], pool: fallback.pool }]
      : []),
  ]
}

function routesAt(section: string, routes: readonly Route[]): readonly Branch[] {
  return routes.map((route, at) => ({
    label: labelOf(route),
    path: [section, 'routes', at, 'upstreams'],
    pool: route.pool,
  }))
}

function labelOf({ names: [name = '*'], alpn: [protocol] }: Route): string {
  return protocol === undefined ? name : `${name}/${protocol}`
}

interface Sides extends CheckedBranching {
  readonly upstream?: unknown
  readonly upstreams?: unknown
}

/** One of the two keys, or neither if every client that is served has a route. */
export function hasUpstream({ upstream, upstreams, passthrough, tls }: Sides): boolean {
  if (upstream !== undefined || upstreams !== undefined)
    return upstream === undefined || upstreams === undefined
  return passthrough?.unknownNames === 'reject' || (tls?.unknownNames === 'reject' && tls.routes.length > 0)
}

interface BranchUpstreams {
  readonly path: readonly (string | number)[]
  readonly upstreams: readonly UpstreamInit[]
}

/** All upstreams that are not the service's own, by their places. */
export function branchUpstreams({ passthrough, tls }: CheckedBranching): readonly BranchUpstreams[] {
  const { routes = [], fallback } = passthrough ?? {}
  return [
    ...upstreamsAt('passthrough', routes),
    ...upstreamsAt('tls', tls?.routes ?? []),
    { path: ['passthrough', 'fallback', 'upstreams'], upstreams: fallback?.upstreams ?? [] },
  ]
}

function upstreamsAt(section: string, routes: readonly CheckedRoute[]): readonly BranchUpstreams[] {
  return routes.map(({ upstreams }, at) => ({ path: [section, 'routes', at, 'upstreams'], upstreams }))
}

/** The fault of an upstream whose name another one of the service has. */
export function branchConflict(
  own: readonly UpstreamInit[],
  branches: readonly BranchUpstreams[],
): { readonly path: readonly (string | number)[]; readonly message: string } | undefined {
  const before = [...own]
  for (const { path, upstreams } of branches) {
    before.push(...upstreams)
    const conflict = nameConflict(before)
    if (conflict) return { path, message: conflict.message }
  }
  return undefined
}

export function settleBranches({ passthrough, tls }: CheckedBranching, poolOf: PoolOf): Branching {
  const settled = <Checked extends CheckedRoute>({ upstreams, ...route }: Checked) => ({
    ...route,
    pool: poolOf(upstreams),
  })
  const fallback = passthrough?.fallback
  return {
    passthrough: passthrough && {
      ...passthrough,
      routes: passthrough.routes.map(settled),
      fallback: fallback && { timeout: fallback.timeout, pool: poolOf(fallback.upstreams) },
    },
    tls: tls && { ...tls, routes: tls.routes.map(settled) },
  }
}
