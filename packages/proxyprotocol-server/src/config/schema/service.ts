// One service: a line for each section, and the rules between them.

import { z } from 'zod'
import { type Address, formatEndpoint } from '../address/index.ts'
import { type Pool, type SentHeader, settlePool, type UpstreamSettings } from '../pool.ts'
import { listenAddresses } from './address.ts'
import {
  accessProblem,
  accessRules,
  type AccessRules,
  type Acceptance,
  acceptance,
  accessKeys,
  backlogSchema,
  limitsSchema,
  type OverLimit,
  overLimitSchema,
  type Rate,
  rateSchema,
  type ServiceLimits,
  trustMismatch,
  trustSchema,
} from './clients/index.ts'
import { type BlockLists, dnsblSchema } from './dnsbl.ts'
import {
  datagramKeys,
  datagramSettings,
  type DatagramSettings,
  misplacedKeys,
  transportProblems,
} from './datagrams.ts'
import { healthSchema } from './health/index.ts'
import { healthFaults } from './health-faults.ts'
import { meta, NAME, nameText } from './keys.ts'
import { oneUpstream, upstreamsFromSchema } from './one-upstream.ts'
import { passSchema } from './pass.ts'
import { type ServiceLog, serviceLogSchema } from './program/index.ts'
import type { ServiceDefaults, ServiceInit } from './service-options.ts'
import { type ServiceTimeouts, timeoutsSchema } from './timeouts.ts'
import {
  branchConflict,
  branchesOf,
  checkedBranches,
  type ListenTls,
  listenTlsIssues,
  listenTlsSchema,
  hasUpstream,
  lacksVersion2,
  type Passthrough,
  passthroughSchema,
  settleBranches,
  tlvsOfItsOwn,
  withInherited,
} from './tls/index.ts'
import { queueSchema } from './upstream-limits.ts'
import { type OwnTlv, tlvsSchema } from './tlvs.ts'
import { balanceSchema, resolveSchema, retriesSchema, upstreamSchema, upstreamsSchema } from './upstreams.ts'

const NO_VERSION_2 = 'must stand where an upstream is sent a version 2 header, got no such upstream'
const ENDS_HERE = 'must stand beside a `listen` without TLS, because encrypted bytes pass through'

/** One relay, with defaults: connections accepted at `listen` go to an upstream, each behind a header. */
export interface Service {
  /** By default its listen address. */
  readonly name: string
  readonly listen: Address
  readonly backlog: number
  /** True if `[::]` leaves IPv4 alone, because another service listens at 0.0.0.0 with the same port. */
  readonly ipv6Only: boolean
  readonly pool: Pool
  /** The file that the upstreams are from. */
  readonly upstreamsFrom?: string | undefined
  /** The only upstream, or the first of `pool`; of the first route if `pool` is empty. */
  readonly upstream: Address
  /** The headers that connections must start with; undefined for none. */
  readonly accepts: Acceptance | undefined
  /** Undefined if all clients may connect. */
  readonly access: AccessRules | undefined
  readonly rate: Rate | undefined
  /** `'none'` relays payload alone. */
  readonly header: SentHeader
  /** Types of TLVs that go on from an inbound header, and replace the relay's own. */
  readonly pass: ReadonlySet<number>
  /** The operator's own TLVs, which replace passed ones of the same type. */
  readonly tlvs: readonly OwnTlv[]
  /** Undefined if TLS does not pass through. */
  readonly passthrough: Passthrough | undefined
  /** TLS that ends here, beside what `listen` says. */
  readonly tls: ListenTls | undefined
  readonly dnsbl: BlockLists | undefined
  readonly limits: ServiceLimits
  readonly overLimit: OverLimit
  readonly timeouts: ServiceTimeouts
  readonly log: ServiceLog
  /** Undefined for connections. */
  readonly datagrams: DatagramSettings | undefined
}

const name = nameText()
  .optional()
  .meta(
    meta({
      description: `The name of the service in the log: ${NAME}.`,
      defaultIs: 'the listen address',
      examples: ['web'],
    }),
  )

const sharedKeys = {
  balance: balanceSchema,
  retries: retriesSchema,
  health: healthSchema,
  resolve: resolveSchema,
  queue: queueSchema,
  trust: trustSchema,
  ...accessKeys,
  pass: passSchema,
  tlvs: tlvsSchema,
  passthrough: passthroughSchema,
  tls: listenTlsSchema,
  dnsbl: dnsblSchema,
  backlog: backlogSchema,
  limits: limitsSchema,
  overLimit: overLimitSchema,
  rate: rateSchema,
  timeouts: timeoutsSchema,
  log: serviceLogSchema,
  ...datagramKeys,
}

export const defaultKeys: readonly string[] = Object.keys(sharedKeys)

/** Only checked: its values are laid under those of each service. */
export const defaultsSchema: z.ZodType<unknown, ServiceDefaults | undefined> = z
  .strictObject(sharedKeys)
  .optional()
  .meta(
    meta({
      description:
        'Keys for every service that has no value of its own. Objects are joined key by key. `trust` applies to ' +
        'services that accept headers.',
      defaultIs: 'none',
    }),
  )

const checkedService = z
  .strictObject({
    name,
    listen: listenAddresses({
      description:
        'Where to listen: `HOST:PORT`, `:PORT` for every interface, `unix:/PATH`. With `?pp=detect`, `v1` or `v2` ' +
        'every connection must start with a header from a peer in `trust`. `ssl://HOST:PORT?cert=FILE&key=FILE` ' +
        'ends TLS. `udp://HOST:PORT` is for datagrams. `:FIRST-LAST` is a range of ports. A list or a range makes a ' +
        'service of each address.',
      examples: [':10000', '127.0.0.1:10000?pp=detect'],
    }),
    upstream: upstreamSchema.optional(),
    upstreams: upstreamsSchema,
    upstreamsFrom: upstreamsFromSchema,
    ...sharedKeys,
  })
  .check(({ value: { listen, trust, passthrough, tls, ...access }, issues }) => {
    const message = trustMismatch(listen, trust)
    if (message !== undefined) issues.push({ code: 'custom', message, path: ['trust'], input: trust })
    if (listen.some(({ tls }) => tls) && passthrough)
      issues.push({ code: 'custom', message: ENDS_HERE, path: ['passthrough'], input: passthrough })
    for (const { path, message } of listenTlsIssues(listen, tls))
      issues.push({ code: 'custom', message, path: [...path], input: tls })
    const wrong = accessProblem(access, listen)
    if (wrong)
      issues.push({ code: 'custom', message: wrong.message, path: [wrong.key], input: access[wrong.key] })
  })
  .refine(hasUpstream, oneUpstream)
  .check(({ value: { listen, upstream, upstreams, passthrough, tls, tlvs, health }, issues }) => {
    const own = upstreams ?? (upstream ? [{ address: upstream }] : [])
    const branches = checkedBranches({ passthrough, tls })
    for (const { path, message } of transportProblems(
      { listen, upstreams: own, health },
      upstream !== undefined,
    ))
      issues.push({ code: 'custom', message, path: [...path], input: listen })
    for (const { path, message } of healthFaults({ health, upstreams: own }, branches))
      issues.push({ code: 'custom', message, path: [...path], input: health })
    const all = [...own, ...branches.flatMap(branch => branch.upstreams)]
    const unsent = branches.filter(branch => lacksVersion2(tlvsOfItsOwn(branch, tlvs), branch.upstreams))
    const places = [...(lacksVersion2(tlvs, all) ? [[]] : []), ...unsent.map(({ path }) => path)]
    for (const path of places)
      issues.push({ code: 'custom', message: NO_VERSION_2, path: [...path, 'tlvs'], input: tlvs })
    const conflict = branchConflict(own, branches)
    if (conflict)
      issues.push({
        code: 'custom',
        message: conflict.message,
        path: [...conflict.path],
        input: passthrough,
      })
  })
  .transform(({ trust, upstream, upstreams, passthrough, tls, ...rest }): readonly Service[] => {
    const { balance, retries, health, resolve, queue, allow, deny, aclFrom, allowVpce, ...others } = rest
    const { listen: places, name, replies, replyFactor, ...written } = others
    const own = upstreams ?? (upstream ? [{ address: upstream }] : [])
    const pool = settlePool({ upstreams: own, balance, retries, health, resolve, queue })
    const branching = settleBranches({ passthrough, tls })
    const pools = [pool, ...branchesOf(branching).map(branch => branch.pool)]
    const [first] = pools.flatMap(each => each.upstreams) as [UpstreamSettings] // hasUpstream() sees to it
    const access = accessRules({ allow, deny, aclFrom, allowVpce }) // one object, so that lists are read once
    return places.map(listen => ({
      ...written,
      listen,
      ipv6Only: false, // a service does not know the others
      pool,
      ...branching,
      tls: listen.tls && branching.tls,
      upstream: first.address,
      name: serviceName(name, listen, places.length),
      accepts: acceptance(listen, trust),
      access,
      header: first.header,
      datagrams: datagramSettings(listen, { ...written, replies, replyFactor }),
    }))
  })

export const serviceSchema: z.ZodType<readonly Service[], ServiceInit> = z.preprocess(
  (written: ServiceInit, { issues }) => {
    const misplaced = misplacedKeys(written)
    for (const { path, message } of misplaced)
      issues.push({ code: 'custom', message, path: [...path], input: written })
    return misplaced.length === 0 ? withInherited(written) : { ...written, listen: [] }
  },
  checkedService,
)

function serviceName(name: string | undefined, listen: Address, count: number): string {
  const place = formatEndpoint(listen)
  if (name === undefined) return place
  return count === 1 ? name : `${name}/${place}`
}
