// The section `limits` of a service, and what happens to connections over them.

import { z } from 'zod'
import { flowsSchema } from '../datagrams.ts'
import { bounded, bytes, integer, meta } from '../keys.ts'

const DEFAULT_PENDING_HEADERS = 1_024
const DEFAULT_HEADER_BYTES = 4_096
/** Signature, command and length, and a version 1 line, which the limit must not undercut. */
const MIN_HEADER_BYTES = 16
/** 16 bytes and a length of 16 bits (specification, section 2.2). */
const MAX_HEADER_BYTES = 65_551

const DEFAULT_BACKLOG = 65_535
/** listen(2) takes an int. */
const MAX_BACKLOG = 2_147_483_647

/** The limits of a service, with defaults. */
export interface ServiceLimits {
  /** Connections at a time; undefined for a share of the open files. */
  readonly connections?: number | undefined
  /** Those of one source address, or one IPv6 /64; `Infinity` for any number. */
  readonly perSource: number
  readonly pendingHeaders: number
  /** The longest version 2 header, in bytes. */
  readonly headerBytes: number
  /** UDP only: flows at a time. */
  readonly flows?: number | undefined
}

/** Limits as users write them. */
export interface ServiceLimitsInit {
  readonly connections?: number | undefined
  readonly perSource?: number | 'unlimited' | undefined
  readonly pendingHeaders?: number | undefined
  /** Bytes, or text such as `64KiB`. */
  readonly headerBytes?: number | string | undefined
  readonly flows?: number | undefined
}

/** What happens to connections over a limit. */
export type OverLimit = 'close' | 'reset' | 'pause'

export const limitsSchema: z.ZodType<ServiceLimits, ServiceLimitsInit | undefined> = z
  .strictObject({
    connections: bounded()
      .optional()
      .meta(
        meta({
          description: 'Connections at a time.',
          defaultIs: 'an equal share of the limit on open files, two files a connection',
          flag: 'max-connections',
        }),
      ),
    perSource: z
      .union([bounded(), z.literal('unlimited')])
      .default('unlimited')
      .transform(count => (count === 'unlimited' ? Infinity : count))
      .meta(
        meta({
          description: 'Open connections, or flows, of one client address, or of one IPv6 /64 network.',
          flag: 'max-per-source',
        }),
      ),
    pendingHeaders: integer({
      description: 'Connections at a time that may wait for their header or for a connection slot.',
      default: DEFAULT_PENDING_HEADERS,
      flag: 'max-pending-headers',
    }),
    headerBytes: bytes({
      description: 'The longest version 2 header that is accepted.',
      default: DEFAULT_HEADER_BYTES,
      min: MIN_HEADER_BYTES,
      max: MAX_HEADER_BYTES,
      flag: 'max-header-bytes',
    }),
    flows: flowsSchema,
  })
  .prefault({})
  .meta(meta({ description: 'Limits of the service.' }))

export const backlogSchema: z.ZodType<number, number | undefined> = integer({
  description:
    'The backlog: connections that may wait to be accepted. The kernel caps it, on Linux by ' +
    '`net.core.somaxconn`.',
  default: DEFAULT_BACKLOG,
  max: MAX_BACKLOG,
  flag: 'backlog',
})

export const overLimitSchema: z.ZodType<OverLimit, OverLimit | undefined> = z
  .enum(['close', 'reset', 'pause'])
  .default('close')
  .meta(
    meta({
      description:
        'What to do with connections over a limit: "close", "reset", or "pause". With "pause" those over ' +
        '`connections` wait for a connection slot; others are closed.',
      flag: 'over-limit',
    }),
  )
