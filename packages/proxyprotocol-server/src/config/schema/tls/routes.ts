import { z } from 'zod'
import type { UpstreamInit } from '../../pool.ts'
import { isProtocol, MAX_PROTOCOL_LENGTH } from '../../address/index.ts'
import { meta } from '../keys.ts'
import { upstreamList, type UpstreamText } from '../upstreams.ts'
import { type CheckedSettings, sharedKeys, type RouteSettings, type RouteOptions } from './shared.ts'

const NAME = /^(?=.{1,253}$)(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/i

const ONE_OF_BOTH = 'must have `names`, `alpn` or both, got neither'

interface Matching {
  /** In lower case; `*.example.org` matches every name below example.org, at any depth. Empty for any name. */
  readonly names: readonly string[]
  /** Protocols (ALPN), one of which the client must offer; empty for any. */
  readonly alpn: readonly string[]
}

/** Upstreams for some server names and protocols, with defaults. */
export interface Route extends Matching, RouteSettings {}

export interface RouteInit extends RouteOptions {
  readonly names?: readonly string[] | undefined
  readonly alpn?: readonly string[] | undefined
  readonly upstreams: readonly UpstreamText[]
}

export interface CheckedRoute extends Matching, CheckedSettings {}

const namesSchema = z
  .array(
    z
      .string()
      .regex(NAME, {
        error: ({ input }) =>
          `must be a server name such as "a.example" or "*.example", got ${JSON.stringify(input)}`,
      })
      .meta({ examples: ['a.example', '*.example'] })
      .transform(name => name.toLowerCase()),
  )
  .min(1)
  .optional()
  .transform(names => names ?? [])
  .meta(
    meta({
      description:
        'Server names; "*.example" matches every name below example, at any depth. The most exact route wins.',
      defaultIs: 'any',
    }),
  )

const alpnSchema = z
  .array(
    z
      .string()
      .refine(isProtocol, {
        error: ({ input }) =>
          `must be a protocol of 1 to ${String(MAX_PROTOCOL_LENGTH)} bytes, got ${JSON.stringify(input)}`,
      })
      .meta({ examples: ['h2', 'acme-tls/1'] }),
  )
  .min(1)
  .optional()
  .transform(alpn => alpn ?? [])
  .meta(
    meta({
      description:
        'Protocols (ALPN), one of which the client must offer. Such routes come before those without `alpn`, in ' +
        'the order in which the client offers them.',
      defaultIs: 'any',
    }),
  )

/** The keys of every kind of route. */
export const routeKeys: typeof sharedKeys & {
  readonly names: z.ZodType<readonly string[], readonly string[] | undefined>
  readonly alpn: z.ZodType<readonly string[], readonly string[] | undefined>
  readonly upstreams: z.ZodType<readonly UpstreamInit[], readonly UpstreamText[]>
} = {
  names: namesSchema,
  alpn: alpnSchema,
  upstreams: upstreamList.meta(
    meta({ description: 'Upstreams for these clients, as `upstreams` of the service.' }),
  ),
  ...sharedKeys,
}

interface Issue {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** Faults of routes that match nothing of their own. */
export function routeIssues(routes: readonly Matching[]): readonly Issue[] {
  const seen = new Set<string>()
  return routes.flatMap((route, at) => {
    if (route.names.length + route.alpn.length === 0) return [{ path: [at], message: ONE_OF_BOTH }]
    return matchesOf(route).flatMap(({ name, protocol, path }) => {
      const way = JSON.stringify([name, protocol])
      if (!seen.has(way)) {
        seen.add(way)
        return []
      }
      const [what, got] = name === undefined ? ['protocol', protocol] : ['server name', name]
      return [{ path: [at, ...path], message: `must be another ${what}, got ${JSON.stringify(got)} twice` }]
    })
  })
}

interface Match {
  readonly name: string | undefined
  readonly protocol: string | undefined
  readonly path: readonly (string | number)[]
}

function matchesOf({ names, alpn }: Matching): readonly Match[] {
  const protocols = alpn.length === 0 ? [undefined] : alpn
  if (names.length === 0)
    return alpn.map((protocol, at) => ({ name: undefined, protocol, path: ['alpn', at] }))
  return names.flatMap((name, at) => protocols.map(protocol => ({ name, protocol, path: ['names', at] })))
}
