// The faults of the health checks of a service and its branches.

import type { HealthInit } from '../health.ts'
import type { UpstreamInit } from '../pool.ts'
import { healthProblems } from './health/index.ts'
import { type CheckedBranch, withOwnHealth } from './tls/index.ts'

/** A branch that takes over `health` has no fault of its own there. */
export function healthFaults(
  { health, upstreams }: { readonly health: HealthInit; readonly upstreams: readonly UpstreamInit[] },
  branches: readonly CheckedBranch[],
): ReturnType<typeof healthProblems> {
  const others = withOwnHealth(branches, health)
  const same = branches.filter(branch => !others.includes(branch))
  const lists = same.map(({ path, upstreams: these }) => ({ path: [...path, 'upstreams'], upstreams: these }))
  return [
    ...healthProblems(health, [{ path: ['upstreams'], upstreams }, ...lists]),
    ...others.flatMap(branch => {
      const found = healthProblems(branch.health, [{ path: ['upstreams'], upstreams: branch.upstreams }])
      return found.map(({ path, message }) => ({ path: [...branch.path, ...path], message }))
    }),
  ]
}
