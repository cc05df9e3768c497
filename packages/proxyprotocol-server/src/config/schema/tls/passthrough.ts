import { z } from 'zod'
import { meta, milliseconds } from '../keys.ts'
import { upstreamList, type UpstreamText } from '../upstreams.ts'
import { type CheckedRoute, type Route, routeIssues, type RouteInit, routeKeys } from './routes.ts'
import { type CheckedSettings, sharedKeys, type RouteSettings, type RouteOptions } from './shared.ts'
import { type UnknownNames, unknownNames } from './unknown-names.ts'

const DEFAULT_TIMEOUT = 10_000
/** Long enough for a client on a slow link, short enough for a person who waits for a greeting. */
const DEFAULT_SILENCE = 2_000

const NO_ROUTES = 'must be "default" without `routes`, got "reject"'

/** Upstreams for clients that speak no TLS. */
export interface Fallback extends RouteSettings {
  /** Milliseconds after which a client that has sent no TLS goes there. */
  readonly timeout: number
}

export interface Passthrough {
  readonly timeout: number
  readonly routes: readonly Route[]
  readonly unknownNames: UnknownNames
  readonly fallback: Fallback | undefined
}

export interface PassthroughInit {
  readonly timeout?: number | string | undefined
  readonly routes?: readonly RouteInit[] | undefined
  readonly unknownNames?: UnknownNames | undefined
  readonly fallback?:
    | (RouteOptions & {
        readonly upstreams: readonly UpstreamText[]
        readonly timeout?: number | string | undefined
      })
    | undefined
}

export interface CheckedPassthrough {
  readonly timeout: number
  readonly routes: readonly CheckedRoute[]
  readonly unknownNames: UnknownNames
  readonly fallback?: (CheckedSettings & { readonly timeout: number }) | undefined
}

const fallbackSchema = z
  .strictObject({
    upstreams: upstreamList.meta(meta({ description: 'Upstreams, as `upstreams` of the service.' })),
    timeout: milliseconds({
      description: 'After this time a client that has sent nothing goes there too.',
      default: DEFAULT_SILENCE,
    }),
    ...sharedKeys,
  })
  .optional()
  .meta(
    meta({
      description: 'Upstreams for clients that speak no TLS, such as those of SSH.',
      defaultIs: 'such clients are refused',
    }),
  )

export const passthroughSchema: z.ZodType<CheckedPassthrough | undefined, PassthroughInit | undefined> = z
  .strictObject({
    timeout: milliseconds({
      description: 'Time for the whole ClientHello.',
      default: DEFAULT_TIMEOUT,
    }),
    routes: z
      .array(z.strictObject(routeKeys))
      .default([])
      .check(({ value, issues }) => {
        for (const { path, message } of routeIssues(value))
          issues.push({ code: 'custom', message, path: [...path], input: value })
      })
      .meta(
        meta({
          description: 'Upstreams by server name and protocol; all others go to those of the service.',
        }),
      ),
    unknownNames: unknownNames('has no route'),
    fallback: fallbackSchema,
  })
  .check(({ value: { routes, unknownNames: answer }, issues }) => {
    if (answer === 'default' || routes.length > 0) return
    issues.push({ code: 'custom', message: NO_ROUTES, path: ['unknownNames'], input: answer })
  })
  .optional()
  .meta(
    meta({
      description:
        'For TLS that passes through: reads the ClientHello of each connection and passes it on unchanged, ' +
        'without decryption. The upstream gets its server name, and its protocol if it offers one. Other ' +
        "connections are refused, or go to `fallback`. PostgreSQL's request for TLS is answered.",
      defaultIs: 'off',
    }),
  )
