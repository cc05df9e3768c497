import { nameConflict, type Pool, type UpstreamInit } from '../../pool.ts'
import type { CheckedPassthrough, Passthrough } from './passthrough.ts'
import type { Route } from './routes.ts'

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
}

interface CheckedBranching {
  readonly passthrough?: CheckedPassthrough | undefined
}

type PoolOf = (upstreams: readonly UpstreamInit[]) => Pool

export function branchesOf({ passthrough }: Branching): readonly Branch[] {
  const { routes = [], fallback } = passthrough ?? {}
  return [
    ...routes.map((route, at) => ({
      label: labelOf(route),
      path: ['passthrough', 'routes', at, 'upstreams'],
      pool: route.pool,
    })),
    // A server name has no brackets.
    ...(fallback
      ? [{ label: '(fallback)', path: ['passthrough', 'fallback', 'upstreams'], pool: fallback.pool }]
      : []),
  ]
}

function labelOf({ names: [name = '*'], alpn: [protocol] }: Route): string {
  return protocol === undefined ? name : `${name}/${protocol}`
}

/** True if every client that is served has a route. */
export function mayLackUpstream({ passthrough }: CheckedBranching): boolean {
  return passthrough?.unknownNames === 'reject'
}

interface BranchUpstreams {
  readonly path: readonly (string | number)[]
  readonly upstreams: readonly UpstreamInit[]
}

/** All upstreams that are not the service's own, by their places. */
export function branchUpstreams({ passthrough }: CheckedBranching): readonly BranchUpstreams[] {
  const { routes = [], fallback } = passthrough ?? {}
  return [
    ...routes.map(({ upstreams }, at) => ({ path: ['passthrough', 'routes', at, 'upstreams'], upstreams })),
    { path: ['passthrough', 'fallback', 'upstreams'], upstreams: fallback?.upstreams ?? [] },
  ]
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

export function settlePassthrough(checked: CheckedPassthrough, poolOf: PoolOf): Passthrough {
  const { routes, fallback } = checked
  return {
    ...checked,
    routes: routes.map(({ upstreams, ...route }) => ({ ...route, pool: poolOf(upstreams) })),
    fallback: fallback && { timeout: fallback.timeout, pool: poolOf(fallback.upstreams) },
  }
}
