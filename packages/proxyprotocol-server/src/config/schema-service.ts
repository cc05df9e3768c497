// One service of the configuration, settled: one line for each of its sections, and the rules between them.

import { z } from 'zod'
import { formatPlace, parseAddress, type Address } from './address.ts'
import { meta, type KeyMeta } from './schema-keys.ts'
import {
  limitsSchema,
  overLimitSchema,
  type OverLimit,
  type ServiceLimits,
  type ServiceLimitsInit,
} from './schema-limits.ts'
import { passSchema, type TlvName } from './schema-pass.ts'
import { timeoutsSchema, type ServiceTimeouts, type ServiceTimeoutsInit } from './schema-timeouts.ts'
import { trustSchema } from './schema-trust.ts'
import type { TrustList } from './trust.ts'

/** An upstream without `pp` counts as `detect` in the Python library, and a detecting sender writes version 2. */
const SENT = { v1: 'v1', v2: 'v2', detect: 'v2', noop: 'none' } as const

const NAME = 'up to 64 letters, digits and any of ". _ : - [ ]"'

/** Which headers are accepted, and from whom. */
export interface Acceptance {
  readonly version: 'v1' | 'v2' | 'detect'
  readonly trust: TrustList
}

/** One relay, settled: connections accepted at `listen` go on to `upstream`, each behind a header. */
export interface Service {
  /** What it is called; unless it was given a name, its listen address. */
  readonly name: string
  readonly listen: Address
  readonly upstream: Address
  /** The headers that connections at `listen` have to start with; undefined where they have none. */
  readonly accepts: Acceptance | undefined
  /** The header that `upstream` is sent; `'none'` relays the bytes alone. */
  readonly header: 'v1' | 'v2' | 'none'
  /** Types of TLVs that go on from an inbound header, in place of the relay's own of the same type. */
  readonly pass: ReadonlySet<number>
  readonly limits: ServiceLimits
  readonly overLimit: OverLimit
  readonly timeouts: ServiceTimeouts
}

/** What may be said of a service besides its addresses; what is left out has its default. */
export interface ServiceOptions {
  readonly name?: string | undefined
  /** Whose headers are believed; required, and of use, only where SOURCE says `pp`. See {@link parseTrust}. */
  readonly trust?: TrustList | undefined
  /** TLVs of an inbound header that go on. Default: alpn, authority, uniqueId, ssl, and those of the clouds. */
  readonly pass?: readonly TlvName[] | undefined
  readonly limits?: ServiceLimitsInit | undefined
  /** What becomes of connections over a limit. Default `'close'`. */
  readonly overLimit?: OverLimit | undefined
  /** In milliseconds. */
  readonly timeouts?: ServiceTimeoutsInit | undefined
}

/** A service as the JSON file has it. */
export interface ServiceInit extends ServiceOptions {
  readonly listen: string
  readonly upstream: string
}

const name = z
  .string()
  .regex(/^[\w.:[\]-]{1,64}$/, {
    error: ({ input }) => `${JSON.stringify(input)} is no name, which is ${NAME}`,
  })
  .optional()
  .meta(
    meta({
      description: `What the service is called in the log: ${NAME}.`,
      defaultIs: 'the listen address',
      examples: ['web'],
    }),
  )

export const serviceSchema: z.ZodType<Service, ServiceInit> = z
  .strictObject({
    name,
    listen: address('listen', {
      description:
        'Where to listen: `HOST:PORT`, `:PORT` for every interface, `unix:/PATH`. `?pp=detect`, `v1` or `v2` expects a header in ' +
        'front of each connection, from those that `trust` names. `ssl://HOST:PORT?cert=FILE&key=FILE` ends TLS.',
      examples: [':10000', '127.0.0.1:10000?pp=detect'],
    }),
    upstream: address('upstream', {
      description:
        'Where to connect to: `HOST:PORT`, `unix:/PATH`. It is sent a version 2 header; with `?pp=v1` a version 1 header, with ' +
        '`?pp=noop` none. `ssl://HOST:PORT` speaks TLS behind it.',
      examples: ['192.0.2.1:8080', '192.0.2.1:8080?pp=v1'],
    }),
    trust: trustSchema,
    pass: passSchema,
    limits: limitsSchema,
    overLimit: overLimitSchema,
    timeouts: timeoutsSchema,
  })
  .check(({ value: { listen, trust }, issues }) => {
    const message = mismatch(listen, trust)
    if (message !== undefined) issues.push({ code: 'custom', message, path: ['trust'], input: trust })
  })
  .transform(({ trust, ...written }): Service => {
    const { listen, upstream } = written
    return {
      ...written,
      name: written.name ?? formatPlace(listen),
      accepts: acceptance(listen, trust),
      header: SENT[upstream.pp ?? 'detect'],
    }
  })

function address(
  role: 'listen' | 'upstream',
  { examples = [], ...said }: KeyMeta,
): z.ZodType<Address, string> {
  return z
    .string()
    .meta({ examples }) // of the text, as zod shows none of what it turns into
    .transform((text, { issues }) => {
      try {
        return parseAddress(text, { role })
      } catch (error) {
        const { message } = error as Error // it throws nothing else, and the key says whose address it is
        issues.push({ code: 'custom', message: message.replace(`${role} address `, ''), input: text })
        return z.NEVER
      }
    })
    .meta(meta(said))
}

/** Trust and the headers that it is about stand together, or not at all. */
function mismatch({ pp = 'noop' }: Address, trust: TrustList | undefined): string | undefined {
  if (pp === 'noop') {
    return (
      trust &&
      'it says whose headers are believed, but `listen` accepts none: give it "?pp=detect", "?pp=v1" or "?pp=v2"'
    )
  }
  if (trust !== undefined) return undefined
  return (
    `"pp" of the listen address is "${pp}", so say whose headers are to be believed, with the addresses of the proxies in ` +
    'front: "trust": ["10.0.0.0/8", "2001:db8::1"] in a file, --trust 10.0.0.0/8,2001:db8::1 otherwise; "anyone" believes ' +
    'whoever connects'
  )
}

function acceptance({ pp = 'noop' }: Address, trust: TrustList | undefined): Acceptance | undefined {
  return pp === 'noop' || trust === undefined ? undefined : { version: pp, trust }
}
