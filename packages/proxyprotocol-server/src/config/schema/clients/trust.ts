// The key `trust` of a service: whose headers are believed.

import { z } from 'zod'
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
        'Whose headers are believed: networks, addresses, "unix" for peers on UNIX sockets; or "anyone". ' +
        'Required where `listen` says `pp`, and refused elsewhere.',
    }),
  )
