// Connects the relays of a program to its admin listener.

import { createRequire } from 'node:module'
import { AdminServer, type AdminSource } from '../../admin/index.ts'
import { isNamed, type AdminSettings } from '../../config/index.ts'
import type { Readiness } from '../../figures/index.ts'
import { showAddress } from '../../log/index.ts'
import type { Fleet, ServiceRelay } from '../../relay/index.ts'
import { explain, log, logFailure, PlainError, type ProgramIo } from '../program.ts'

export type Shown = Omit<AdminSource, 'version'>

export async function startAdmin(
  io: ProgramIo,
  { listen, hosts }: AdminSettings,
  shown: Shown,
): Promise<AdminServer> {
  const { version } = createRequire(import.meta.url)('../../../package.json') as { version: string } // our own file
  const admin = new AdminServer(
    { ...shown, version },
    {
      hosts,
      onError: error => {
        logFailure(io, error, undefined)
      },
    },
  )
  const address = await admin.listen(listen).catch((error: unknown) => {
    throw new PlainError(`admin listener: ${explain(error)}`, { cause: error })
  })
  log(io, 'admin', [['address', showAddress(address)]])
  return admin
}

export interface ShownOptions {
  readonly needs?: readonly string[] | undefined
  readonly refusals?: Shown['refusals']
}

export function shownOf(
  io: ProgramIo,
  fleet: Pick<Fleet<ServiceRelay>, 'relays' | 'figures' | 'connectionsOf'>,
  { needs = [], refusals = () => [] }: ShownOptions = {},
): Shown {
  return {
    readiness: () => readiness(fleet.relays, needs),
    services: () => fleet.figures(),
    connections: service => fleet.connectionsOf(service),
    refusals,
    lostLogLines: () => io.log.lost,
  }
}

/** Ready only if all services are, because load balancers send clients to each of them. */
function readiness(relays: readonly ServiceRelay[], needs: readonly string[]): Readiness {
  const states = relays.map(({ server }) => server.state)
  if (states.some(state => state === 'draining' || state === 'closed')) return 'draining'
  if (states.length === 0 || states.some(state => state !== 'listening')) return 'starting'
  const needed = relays.filter(({ service: { name } }) => needs.some(need => isNamed(name, need)))
  return needed.every(hasUpstream) ? 'ready' : 'no_upstream'
}

function hasUpstream(relay: ServiceRelay): boolean {
  return relay.upstreams().upstreams.some(({ state }) => state === 'up')
}
