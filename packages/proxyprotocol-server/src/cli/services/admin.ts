// Connects the relays of a program to its admin listener.

import { createRequire } from 'node:module'
import {
  AdminServer,
  type AdminSource,
  type MemberView,
  type Readiness,
  type ResolutionView,
  type ServiceView,
  type UpstreamView,
} from '../../admin/index.ts'
import type { AdminSettings } from '../../config/index.ts'
import { showAddress } from '../../log/index.ts'
import type { MemberSnapshot, NameSnapshot, Relay, RoutedUpstream } from '../../relay/index.ts'
import { explain, log, logFailure, PlainError, type ProgramIo } from '../program.ts'
import { sentTo, upstreamsOf } from './show-pool.ts'

/** The program's data, without its version. */
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

/** The data of this process; `relays` returns those at the time of each request. */
export function shownOf(io: ProgramIo, relays: () => readonly Relay[]): Shown {
  return {
    readiness: () => readiness(relays()),
    services: () => relays().map(serviceView),
    lostLogLines: () => io.log.lost,
  }
}

/** Ready only if all services are, because load balancers send clients to each of them. */
function readiness(relays: readonly Relay[]): Readiness {
  const states = relays.map(({ server }) => server.state)
  if (states.some(state => state === 'draining' || state === 'closed')) return 'draining'
  return states.length > 0 && states.every(state => state === 'listening') ? 'ready' : 'starting'
}

function serviceView(relay: Relay): ServiceView {
  const { server, service, listings, totals, connections, upstreams, certificates } = relay
  const { name, accepts, limits, timeouts } = service
  const { address, state } = server
  return {
    ...{ name, state, totals, connections },
    address: address === null ? undefined : String(showAddress(address)),
    upstream: upstreamsOf(service),
    sends: sentTo(service),
    expects: accepts?.version,
    trust: accepts ? [accepts.trust].flat() : [],
    limits: numbersOf(limits),
    timeouts: { ...timeouts },
    dnsbl: listings && { listed: listings.listed, clear: listings.clear, ...listings.unknown },
    certificates: certificates(),
    upstreams: () => upstreams().upstreams.map(upstreamView),
  }
}

function upstreamView({ failures, members, resolution, ...each }: RoutedUpstream): UpstreamView {
  return {
    ...each,
    failures: sumOf(failures),
    members: members.map(memberView),
    resolution: resolution && lookUps(resolution),
  }
}

function memberView({ failures, checks, ...each }: MemberSnapshot): MemberView {
  return {
    ...each,
    failures: sumOf(failures),
    checks: checks && { passed: checks.passed, failed: checks.failed },
  }
}

function lookUps({ age, answers, failures, lastFailure }: NameSnapshot): ResolutionView {
  return { age, answers, failures, lastFailure }
}

function sumOf(counts: Readonly<Partial<Record<string, number>>>): number {
  return Object.values(counts).reduce<number>((sum, count = 0) => sum + count, 0)
}

function numbersOf(values: object): Record<string, number> {
  const numbers = Object.entries(values).filter(([, value]) => typeof value === 'number')
  return Object.fromEntries(numbers)
}
