// An address string as a key of the configuration.

import { z } from 'zod'
import { type Address, parseAddress } from '../address/index.ts'
import { type KeyMeta, meta } from './keys.ts'

export function address(
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
