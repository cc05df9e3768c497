import { z } from 'zod'
import { type Address, type AddressError, parseAddress, parseListen } from '../address/index.ts'
import { type KeyMeta, meta } from './keys.ts'

export function address({ examples = [], ...said }: KeyMeta): z.ZodType<Address, string> {
  return parsed(examples, text => parseAddress(text, { role: 'upstream' })).meta(meta(said))
}

export function listenAddresses({
  examples = [],
  ...said
}: KeyMeta): z.ZodType<readonly Address[], string | readonly string[]> {
  const one = parsed(examples, parseListen)
  const list = z.array(parsed(['127.0.0.1:10000', ':30000-30100'], parseListen)).min(1)
  return z.union([one, list.transform(each => each.flat())]).meta(meta(said))
}

function parsed<Parsed>(
  examples: readonly string[],
  parse: (text: string) => Parsed,
): z.ZodType<Parsed, string> {
  return z
    .string()
    .meta({ examples: [...examples] }) // describes the text, because zod shows no output types
    .transform((text, { issues }) => {
      try {
        return parse(text)
      } catch (error) {
        const { problem } = error as AddressError // it throws nothing else
        issues.push({ code: 'custom', message: problem, input: text })
        return z.NEVER
      }
    })
}
