// The key `trust` of a service, which goes with headers at `listen`.

import { z } from 'zod'
import type { Address } from '../../address/index.ts'
import { type TrustList, trustProblem } from '../../trust.ts'
import { meta } from '../keys.ts'

const network = z
  .string()
  .check(({ value, issues }) => {
    const message = trustProblem([value])
    if (message !== undefined) issues.push({ code: 'custom', message, input: value })
  })
  .meta({ examples: ['10.0.0.0/8', '2001:db8::1', 'unix'] })

export const trustSchema: z.ZodType<TrustList | undefined, TrustList | undefined> = z
  .union([z.literal('anyone'), z.array(network).min(1)])
  .optional()
  .meta(
    meta({
      description:
        'Who may send headers: networks, addresses, "unix" for peers on UNIX sockets; or "anyone". Required if ' +
        '`listen` has `pp`, otherwise refused.',
    }),
  )

/** Which headers are accepted, and from whom. */
export interface Acceptance {
  /** The last two are for datagrams. */
  readonly version: 'v1' | 'v2' | 'detect' | 'spp' | 'unsafe-first'
  readonly trust: TrustList
}

export function trustMismatch(listen: readonly Address[], trust: TrustList | undefined): string | undefined {
  const pp = listen.map(each => each.pp).find(mode => mode !== undefined && mode !== 'noop')
  if (pp === undefined) {
    return (
      trust && 'must stand beside a `listen` that accepts headers; give it "?pp=detect", "?pp=v1" or "?pp=v2"'
    )
  }
  if (trust !== undefined) return undefined
  return (
    `must name the proxies whose headers are believed, because "pp" of \`listen\` is "${pp}", got nothing; write ` +
    '"trust": ["10.0.0.0/8", "2001:db8::1"] in a file, or --trust 10.0.0.0/8,2001:db8::1; "anyone" believes every peer'
  )
}

export function acceptance({ pp = 'noop' }: Address, trust: TrustList | undefined): Acceptance | undefined {
  return pp === 'noop' || trust === undefined ? undefined : { version: pp, trust }
}
