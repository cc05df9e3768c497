import { z } from 'zod'
import type { Pool, UpstreamInit } from '../pool.ts'
import { meta, milliseconds } from './keys.ts'
import { upstreamList, type UpstreamText } from './upstreams.ts'

const DEFAULT_TIMEOUT = 10_000

const NAME = /^(?=.{1,253}$)(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/i

/** Upstreams for some server names, with defaults. */
export interface Route {
  /** In lower case; `*.example.org` matches every name below example.org, at any depth. */
  readonly names: readonly string[]
  readonly pool: Pool
}

export interface Passthrough {
  readonly timeout: number
  readonly routes: readonly Route[]
}

export interface PassthroughInit {
  readonly timeout?: number | undefined
  readonly routes?:
    readonly { readonly names: readonly string[]; readonly upstreams: readonly UpstreamText[] }[] | undefined
}

export interface CheckedPassthrough {
  readonly timeout: number
  readonly routes: readonly {
    readonly names: readonly string[]
    readonly upstreams: readonly UpstreamInit[]
  }[]
}

const routeSchema = z.strictObject({
  names: z
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
    .meta(
      meta({
        description:
          'Server names; "*.example" matches every name below example, at any depth. The most exact route wins.',
      }),
    ),
  upstreams: upstreamList.meta(
    meta({ description: 'Upstreams for these names, as `upstreams` of the service.' }),
  ),
})

export const passthroughSchema: z.ZodType<CheckedPassthrough | undefined, PassthroughInit | undefined> = z
  .strictObject({
    timeout: milliseconds({
      description: 'Time for the whole ClientHello.',
      default: DEFAULT_TIMEOUT,
    }),
    routes: z
      .array(routeSchema)
      .default([])
      .check(({ value, issues }) => {
        const seen = new Set<string>()
        for (const [at, { names }] of value.entries()) {
          for (const [index, name] of names.entries()) {
            if (seen.has(name)) {
              const message = `must be another server name, got ${JSON.stringify(name)} twice`
              issues.push({ code: 'custom', message, path: [at, 'names', index], input: name })
            }
            seen.add(name)
          }
        }
      })
      .meta(meta({ description: 'Upstreams by server name; all others go to those of the service.' })),
  })
  .optional()
  .meta(
    meta({
      description:
        'For TLS that passes through: reads the ClientHello of each connection and passes it on unchanged, ' +
        'without decryption. The upstream gets its server name, and its protocol if it offers one. Other ' +
        'connections are refused.',
      defaultIs: 'off',
    }),
  )
