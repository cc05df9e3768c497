// A service, its routes and its fallback may not share the name of an upstream.

import type { ServiceInit, UpstreamText } from '../../config/index.ts'

export function withUniqueNames(service: ServiceInit): ServiceInit {
  const { upstreams = [], passthrough } = service
  if (!passthrough) return service
  const taken = new Set(upstreams.map(nameOf))
  const { routes = [], fallback } = passthrough
  return {
    ...service,
    passthrough: {
      ...passthrough,
      routes: routes.map(route => ({ ...route, upstreams: renamed(route.upstreams, taken) })),
      ...(fallback && { fallback: { ...fallback, upstreams: renamed(fallback.upstreams, taken) } }),
    },
  }
}

function renamed(upstreams: readonly UpstreamText[], taken: Set<string>): readonly UpstreamText[] {
  return upstreams.map(upstream => {
    const name = nameOf(upstream)
    let free = name
    for (let copy = 2; taken.has(free); copy++) free = `${name}-${String(copy)}`
    taken.add(free)
    if (free === name) return upstream
    return { ...(typeof upstream === 'string' ? { address: upstream } : upstream), name: free }
  })
}

function nameOf(upstream: UpstreamText): string {
  if (typeof upstream === 'string') return upstream.replace(/\?.*$/, '')
  return upstream.name ?? nameOf(upstream.address)
}
