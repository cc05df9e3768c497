import { z } from 'zod'
import { meta } from '../keys.ts'

const ANSWERS = ['default', 'reject'] as const

/** What happens to clients whose server name is not known. */
export type UnknownNames = (typeof ANSWERS)[number]

/** @param unknown continues "a client whose server name ...". */
export function unknownNames(
  unknown: string,
): z.ZodDefault<z.ZodEnum<{ default: 'default'; reject: 'reject' }>> {
  return z
    .enum(ANSWERS)
    .default('default')
    .meta(
      meta({
        description:
          `"reject" refuses a client whose server name ${unknown}, or that sends none, with the TLS alert ` +
          '`unrecognized_name`. "default" serves it as all others.',
      }),
    )
}
