import { isDeepStrictEqual } from 'node:util'
import { nameConflict, type UpstreamInit } from '../../pool.ts'
import type { CheckedListenTls, ListenTls } from './listen-tls.ts'
import type { CheckedPassthrough, Passthrough } from './passthrough.ts'
import type { Route } from './routes.ts'
import { type CheckedSettings, settleRoute, type RouteSettings } from './shared.ts'

type Path = readonly (string | number)[]

/** Upstreams of a service beside its own. */
export interface Branch extends RouteSettings {
  /** Unique in its service: a server name, a name and a protocol such as `*` and `h2`, or `(fallback)`. */
  readonly label: string
  /** Its place within the service. */
  readonly path: Path
}

interface Branching {
  readonly passthrough: Passthrough | undefined
  readonly tls: ListenTls | undefined
}

interface CheckedBranching {
  readonly passthrough?: CheckedPassthrough | undefined
  readonly tls?: CheckedListenTls | undefined
}

export function branchesOf({ passthrough, tls }: Branching): readonly Branch[] {
  const { routes = [], fallback } = passthrough ?? {}
  return [
    ...routesAt('passthrough', routes),
    ...routesAt('tls', tls?.routes ?? []),
    // A server name has no brackets.
    ...(fallback
      ? [{ ...fallback, label: '(fallback)', path: ['passthrough', 'fallback', 'upstreams'] }]
      : []),
  ]
}

function routesAt(section: string, routes: readonly Route[]): readonly Branch[] {
  return routes.map((route, at) => ({
    ...route,
    label: labelOf(route),
    path: [section, 'routes', at, 'upstreams'],
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

/** A branch as it is checked, and its place. */
export interface CheckedBranch extends CheckedSettings {
  readonly path: Path
}

export function checkedBranches({ passthrough, tls }: CheckedBranching): readonly CheckedBranch[] {
  const { routes = [], fallback } = passthrough ?? {}
  return [
    ...checkedAt('passthrough', routes),
    ...checkedAt('tls', tls?.routes ?? []),
    ...(fallback ? [{ ...fallback, path: ['passthrough', 'fallback'] }] : []),
  ]
}

function checkedAt(section: string, routes: readonly CheckedSettings[]): readonly CheckedBranch[] {
  return routes.map((route, at) => ({ ...route, path: [section, 'routes', at] }))
}

interface Conflict {
  readonly path: Path
  readonly message: string
}

/** The fault of an upstream whose name another one of the service has. */
export function branchConflict(
  own: readonly UpstreamInit[],
  branches: readonly CheckedBranch[],
): Conflict | undefined {
  const names = new Set<string>()
  nameConflict(own, names)
  for (const { path, upstreams } of branches) {
    const conflict = nameConflict(upstreams, names)
    if (conflict) return { path: [...path, 'upstreams'], message: conflict.message }
  }
  return undefined
}

/** The branches with what each has otherwise than its service. */
export function withOwnHealth(
  branches: readonly CheckedBranch[],
  health: CheckedSettings['health'],
): readonly CheckedBranch[] {
  return branches.filter(branch => !isDeepStrictEqual(branch.health, health))
}

export function settleBranches({ passthrough, tls }: CheckedBranching): Branching {
  const fallback = passthrough?.fallback
  return {
    passthrough: passthrough && {
      ...passthrough,
      routes: passthrough.routes.map(route => ({ ...matchOf(route), ...settleRoute(route) })),
      fallback: fallback && { timeout: fallback.timeout, ...settleRoute(fallback) },
    },
    tls: tls && {
      ...tls,
      routes: tls.routes.map(route => ({
        ...matchOf(route),
        ...settleRoute(route),
        passthrough: route.passthrough,
      })),
    },
  }
}

function matchOf({ names, alpn }: Pick<Route, 'names' | 'alpn'>): Pick<Route, 'names' | 'alpn'> {
  return { names, alpn }
}
