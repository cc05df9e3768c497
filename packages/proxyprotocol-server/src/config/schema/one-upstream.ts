// Where the upstreams of a service stand: in one of three keys, or in its routes alone.

import { z } from 'zod'
import { meta } from './keys.ts'

const BOTH = 'must stand without `upstreams`; give one of the two'
const NEITHER =
  'must be a string such as "192.0.2.1:8080" or "192.0.2.1:8080?pp=v1", or `upstreams` a list, got nothing'

/** The list is read into `upstreams` before the check. */
export const upstreamsFromSchema: z.ZodType<string | undefined, string | undefined> = z
  .string()
  .optional()
  .meta(
    meta({
      description:
        'A YAML or JSON file with a list of upstreams, instead of `upstreams`. The program follows its changes.',
      defaultIs: 'none',
      examples: ['/run/proxyprotocol/web.yaml'],
    }),
  )

interface Check {
  readonly value: unknown
  readonly issues: readonly { readonly path?: readonly PropertyKey[] | undefined }[]
}

/** For `refine()`. */
export const oneUpstream: {
  readonly path: string[]
  readonly when: (check: Check) => boolean
  readonly error: (issue: { readonly input?: unknown }) => string
} = {
  path: ['upstream'],
  // Runs although other keys are wrong, so that all faults are reported at once.
  when: ({ value, issues }) =>
    typeof value === 'object' && value !== null && !issues.some(({ path: [key] = [] }) => isUpstreamKey(key)),
  error: ({ input }) => (isGiven(input, 'upstream') ? BOTH : NEITHER),
}

function isUpstreamKey(key: unknown): boolean {
  return key === 'upstream' || key === 'upstreams'
}

function isGiven(service: unknown, key: string): boolean {
  return (service as Readonly<Record<string, unknown>>)[key] !== undefined // it is an object, or it would not be asked
}
