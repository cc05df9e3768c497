// The section `dnsbl` of a service: block lists, and what follows from their answers.

import { z } from 'zod'
import { parseNameServer, spamhaus, type Zone } from 'proxyprotocol/dnsbl'
import { meta, milliseconds } from './keys.ts'

/** Well above a resolver's usual time. */
const DEFAULT_TIMEOUT = 1_000
/** The Python program takes seconds, and such small numbers get a hint. */
const MIN_TIMEOUT = 10

/** 253 characters of a name, of which an IPv6 address takes 64 (RFC 5782 section 2.4). */
const ZONE =
  /^(?=.{1,189}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i

/** A customer's Spamhaus zones, with a key in front. */
const SPAMHAUS_KEY_ZONE = /\.(zen|sbl|xbl|pbl)\.dq\.spamhaus\.net$/i

/** What happens to a listed client. */
export type ListedAction = 'reject' | 'tag' | 'log'

/** Block lists, with defaults. */
export interface BlockLists {
  readonly zones: readonly (Zone | string)[]
  readonly action: ListedAction
  /** Milliseconds for all zones together. */
  readonly timeout: number
  /** Name servers; undefined for the system's. */
  readonly servers?: readonly string[] | undefined
}

/** As users write it. */
export interface BlockListsInit {
  readonly zones: readonly string[]
  readonly action?: ListedAction | undefined
  readonly timeout?: number | string | undefined
  readonly servers?: readonly string[] | undefined
}

const server = z
  .string()
  .check(({ value, issues }) => {
    try {
      parseNameServer(value)
    } catch (error) {
      issues.push({ code: 'custom', message: (error as Error).message, input: value })
    }
  })
  .meta({ examples: ['127.0.0.1', '[::1]:5353'] })

export const dnsblSchema: z.ZodType<BlockLists | undefined, BlockListsInit | undefined> = z
  .strictObject({
    zones: z
      .array(
        z
          .string()
          .regex(ZONE, { error: ({ input }) => `${JSON.stringify(input)} is not the name of a zone` })
          .meta({ examples: ['zen.spamhaus.org'] })
          .transform(zoneOf),
      )
      .min(1)
      .meta(
        meta({
          description:
            'Zones of DNS block lists; all are asked at once, and the first that lists the client counts.',
          defaultIs: 'none: clients are not looked up',
          flag: 'dnsbl',
          placeholder: 'ZONE,...',
        }),
      ),
    action: z
      .enum(['reject', 'tag', 'log'])
      .default('tag')
      .meta(
        meta({
          description:
            'What to do with a listed client: "reject" resets its connection, "tag" tells the upstream in the ' +
            'extension TLV of the Python library, "log" only logs it and delays no client.',
          flag: 'dnsbl-action',
        }),
      ),
    timeout: milliseconds({
      description: 'Time for all lists together. Without an answer by then, the client is accepted.',
      default: DEFAULT_TIMEOUT,
      min: MIN_TIMEOUT,
      flag: 'dnsbl-timeout',
    }),
    servers: z
      .array(server)
      .min(1)
      .optional()
      .meta(
        meta({
          description: 'Name servers to ask, with or without a port. Spamhaus refuses public resolvers.',
          defaultIs: 'those of the system',
          flag: 'dnsbl-servers',
          placeholder: 'ADDRESS,...',
        }),
      ),
  })
  .optional()
  .meta(meta({ description: 'DNS block lists that are asked about each client.' }))

/** Keeps the customer's key out of logs. */
function zoneOf(name: string): Zone | string {
  const kind = SPAMHAUS_KEY_ZONE.exec(name)?.[1]?.toLowerCase()
  return kind === undefined ? name : { ...spamhaus[kind as keyof typeof spamhaus], name }
}
