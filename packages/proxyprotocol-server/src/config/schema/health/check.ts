// The keys of a check: of a service with their defaults, and of an upstream, where they win over those of the service.

import { isIP } from 'node:net'
import { z } from 'zod'
import { isHostName } from '../../address/index.ts'
import { type ActiveCheck, checkDefaults, type CheckInit, checkTypes } from '../../health.ts'
import { bytesOf } from '../../text/index.ts'
import { bounded, type KeyMeta, MAX_MILLISECONDS, measure, meta, type Timed } from '../keys.ts'

/** More would have no use. */
const MAX = 1_000
const MAX_PORT = 65_535
const [FIRST_STATUS, LAST_STATUS] = [100, 599]

/** A check as users write it. */
export interface CheckText extends Omit<
  Timed<ActiveCheck, 'interval' | 'timeout'>,
  'status' | 'send' | 'expect'
> {
  /** One status, or a range such as `'200-399'`. */
  readonly status?: number | string | undefined
  /** `text:TEXT` or `hex:BYTES`. */
  readonly send?: string | undefined
  /** `text:TEXT` or `hex:BYTES`. */
  readonly expect?: string | undefined
}

type CheckSchema = z.ZodOptional<z.ZodType<CheckInit, CheckText>>

const FORMS = 'text such as "text:PING\\r\\n" or bytes such as "hex:00ff"'

const duration = measure('ms', 1, MAX_MILLISECONDS)

const shape = {
  type: z.enum(checkTypes),
  interval: duration,
  timeout: duration,
  rise: bounded(1, MAX),
  fall: bounded(1, MAX),
  header: z.boolean(),
  tls: z.boolean(),
  port: bounded(1, MAX_PORT),
  address: text(
    written => isIP(written) !== 0 || isHostName(written),
    'a host name or an IP address',
    '192.0.2.1',
  ),
  method: z.enum(['GET', 'HEAD', 'OPTIONS']),
  path: text(written => /^\/[!-~]*$/.test(written), 'a path from "/" without spaces', '/healthz'),
  host: text(written => /^[\w.:[\]-]{1,260}$/.test(written), 'a host with or without a port', 'app.example'),
  status: z.union([
    bounded(FIRST_STATUS, LAST_STATUS).transform(status => ({ first: status, last: status })),
    statusRange(),
  ]),
  servername: text(isHostName, 'a host name', 'app.example'),
  user: text(written => /^[^\0]{1,80}$/su.test(written), 'a name of 1 to 80 characters', 'check'),
  send: bytes(),
  expect: bytes(),
} satisfies Record<keyof ActiveCheck, z.ZodType>

/** `only` names the types that have the key. */
interface Said extends KeyMeta {
  readonly only?: string
}

const said: Readonly<Record<keyof typeof shape, Said>> = {
  type: { description: 'What the upstream is asked; "tcp" only connects.' },
  interval: {
    description: 'From the end of one check to the next; the first starts at a random time within it.',
    unit: 'ms',
  },
  timeout: {
    description: 'For connecting, again for the answer, and again for the upstream to close.',
    unit: 'ms',
  },
  rise: { description: 'Passed checks in a row that bring an upstream up.' },
  fall: {
    description: 'Failures in a row that bring it down, of checks and connections; the last one is a check.',
  },
  header: { description: 'Sends LOCAL (UNKNOWN in version 1) if the upstream gets headers.' },
  tls: { description: 'Speaks TLS if the upstream does.' },
  port: { description: 'The port to check.', defaultIs: "the upstream's" },
  address: { description: 'The host to check, beside `port`.', defaultIs: "the upstream's" },
  method: { description: 'The method of the request.', only: '"http"' },
  path: { description: 'The path of the request.', only: '"http"' },
  host: {
    description: 'The header `Host`, or the name in EHLO.',
    only: '"http" and "smtp"',
    defaultIs: 'host and port that are checked, or "localhost" in EHLO',
  },
  status: {
    description: 'The status that passes, or a range.',
    only: '"http"',
    defaultIs: '"200-399"',
  },
  servername: {
    description: 'The name to request (SNI).',
    only: '"tls"',
    defaultIs: "the upstream's host, if it is a name",
  },
  user: {
    description: 'The account to log in with; it needs no password.',
    only: '"mysql" and "postgresql"',
    defaultIs: 'required there',
  },
  send: { description: 'What to send first.', only: '"send-expect"', defaultIs: 'nothing' },
  expect: {
    description: 'What the answer must contain.',
    only: '"send-expect"',
    defaultIs: 'required there',
  },
}

/** The check of a service. */
export const checkSchema: CheckSchema = described(key => {
  const { defaultIs } = said[key]
  return defaultIs === undefined ? { default: { ...checkDefaults, host: '' }[key] } : { defaultIs }
}).meta(meta({ description: 'Health checks of the upstreams.', defaultIs: 'no checks' }))

/** The check of an upstream. */
export const ownCheckSchema: CheckSchema = described(() => ({ defaultIs: 'that of `health.check`' })).meta(
  meta({
    description: 'Its health check: keys that win over those of `health.check`.',
    defaultIs: 'that of `health.check`',
  }),
)

function described(more: (key: keyof typeof shape) => object): CheckSchema {
  const keys = Object.entries(shape).map(([name, schema]) => {
    const key = name as keyof typeof shape // entries have no other names
    const { only, ...rest } = said[key]
    const description = only === undefined ? rest.description : `${rest.description} For type ${only} only.`
    return [key, schema.optional().meta(meta({ ...rest, description, ...more(key) }))]
  })
  return z.strictObject(Object.fromEntries(keys)).optional()
}

function text(suits: (written: string) => boolean, what: string, example: string): z.ZodType<string, string> {
  return z
    .string()
    .meta({ examples: [example] })
    .refine(suits, { error: ({ input }) => `must be ${what}, got ${JSON.stringify(input)}` })
}

function bytes(): z.ZodType<Uint8Array, string> {
  return z
    .string()
    .meta({ examples: ['text:PING\r\n', 'hex:00ff'] })
    .transform((written, { issues }) => {
      const outcome = bytesOf(written, FORMS)
      if (typeof outcome !== 'string') return outcome
      issues.push({ code: 'custom', message: outcome, input: written })
      return z.NEVER
    })
}

function statusRange(): z.ZodType<ActiveCheck['status'], string> {
  return z
    .string()
    .meta({ examples: ['200-399'] })
    .transform((written, { issues }) => {
      const [, first, last = first] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(written) ?? []
      if (first !== undefined && Number(first) <= Number(last))
        return { first: Number(first), last: Number(last) }
      const message = `must be a status such as 200 or a range such as "200-399", got ${JSON.stringify(written)}`
      issues.push({ code: 'custom', message, input: written })
      return z.NEVER
    })
}
