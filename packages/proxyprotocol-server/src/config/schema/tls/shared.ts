// Routes and the fallback have the sections of their service, with their own values key by key. Both are merged as they
// are written and checked then, so that one schema serves both.

import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import {
  type Balance,
  type Pool,
  type PoolInit,
  sentHeader,
  settlePool,
  type UpstreamInit,
} from '../../pool.ts'
import type { HealthInit } from '../../health.ts'
import { isObject, type JsonObject } from '../../text/index.ts'
import { healthSchema } from '../../schema/health/index.ts'
import {
  type RouteTimeouts,
  type RouteTimeoutsInit,
  routeTimeoutsSchema,
  serviceTimeouts,
} from '../timeouts.ts'
import { type OwnTlv, type OwnTlvsInit, tlvsSchema } from '../tlvs.ts'
import { queueSchema } from '../upstream-limits.ts'
import { balanceSchema, type PoolOptions, resolveSchema, retriesSchema } from '../upstreams.ts'

/** What a service, a route and the fallback have in common. */
export interface RouteSettings {
  readonly pool: Pool
  readonly timeouts: RouteTimeouts
  /** The operator's own TLVs. */
  readonly tlvs: readonly OwnTlv[]
}

/** Options of a service that a route may set for itself, key by key. */
export interface RouteOptions extends Omit<PoolOptions, 'upstreams'> {
  readonly tlvs?: OwnTlvsInit | undefined
  readonly timeouts?: RouteTimeoutsInit | undefined
}

export interface CheckedSettings extends Pick<PoolInit, 'resolve' | 'queue'> {
  readonly health: HealthInit
  readonly upstreams: readonly UpstreamInit[]
  readonly balance: Balance
  readonly retries: number
  readonly tlvs: readonly OwnTlv[]
  readonly timeouts: RouteTimeouts
}

export const sharedKeys: {
  readonly balance: typeof balanceSchema
  readonly retries: typeof retriesSchema
  readonly health: typeof healthSchema
  readonly resolve: typeof resolveSchema
  readonly queue: typeof queueSchema
  readonly tlvs: typeof tlvsSchema
  readonly timeouts: typeof routeTimeoutsSchema
} = {
  balance: asOfService('balance', balanceSchema),
  retries: asOfService('retries', retriesSchema),
  health: asOfService('health', healthSchema),
  resolve: asOfService('resolve', resolveSchema),
  queue: asOfService('queue', queueSchema),
  tlvs: asOfService('tlvs', tlvsSchema),
  timeouts: asOfService('timeouts', routeTimeoutsSchema),
}

function asOfService<Schema extends z.ZodType>(key: string, schema: Schema): Schema {
  return schema.meta({ sameAs: `services[].${key}`, defaultIs: 'as the service' })
}

/** A service as it is written, whose routes have what they do not set themselves. */
export function withInherited(service: unknown): unknown {
  if (!isObject(service)) return service
  const { passthrough, tls } = service
  if (!isObject(passthrough) && !isObject(tls)) return service
  const common = commonOf(service)
  return {
    ...service,
    ...(isObject(passthrough) ? { passthrough: inside(passthrough, common) } : {}),
    ...(isObject(tls) ? { tls: inside(tls, common) } : {}),
  }
}

function inside(written: JsonObject, common: JsonObject): JsonObject {
  const { routes, fallback } = written
  return {
    ...written,
    ...(routes instanceof Array ? { routes: routes.map(route => withCommon(route, common)) } : {}),
    ...(isObject(fallback) ? { fallback: withCommon(fallback, common) } : {}),
  }
}

/** A wrong value stays with the service, where it is reported once. */
function commonOf({ timeouts, ...service }: JsonObject): JsonObject {
  const written: JsonObject = { ...service, timeouts: serviceTimeouts(timeouts) }
  const good = Object.entries(sharedKeys).filter(([key, schema]) => schema.safeParse(written[key]).success)
  return Object.fromEntries(good.map(([key]) => [key, written[key]]))
}

function withCommon(route: unknown, common: JsonObject): unknown {
  if (!isObject(route)) return route
  const sections = Object.entries(common).map(([key, value]) => [key, section(value, route[key])])
  return { ...route, ...Object.fromEntries(sections) }
}

/** Types of TLVs are written with letters of either case. */
function section(value: unknown, own: unknown): unknown {
  if (own === undefined) return value
  if (!isObject(value) || !isObject(own)) return own
  const set = new Set(Object.keys(own).map(key => key.toLowerCase()))
  const left = Object.entries(value).filter(([key]) => !set.has(key.toLowerCase()))
  return { ...Object.fromEntries(left), ...own }
}

export function settleRoute(route: CheckedSettings): RouteSettings {
  const { timeouts, tlvs, upstreams, balance, retries, health, resolve, queue } = route
  return { timeouts, tlvs, pool: settlePool({ upstreams, balance, retries, health, resolve, queue }) }
}

/** True if no upstream is sent the header that TLVs stand in. */
export function lacksVersion2(tlvs: readonly OwnTlv[], upstreams: readonly UpstreamInit[]): boolean {
  const isSent = upstreams.length === 0 || upstreams.some(({ address }) => sentHeader(address) === 'v2')
  return tlvs.length > 0 && !isSent
}

export function tlvsOfItsOwn(route: CheckedSettings, ofService: readonly OwnTlv[]): readonly OwnTlv[] {
  return route.tlvs.filter(each => !ofService.some(other => isDeepStrictEqual(each, other)))
}
