// The key `pass` of a service: TLVs of an inbound header that go on.

import { z } from 'zod'
import { tlvType } from 'proxyprotocol'
import { meta } from './keys.ts'

/** A checksum is computed anew, and padding carries nothing. */
const NAMES = ['alpn', 'authority', 'uniqueId', 'ssl', 'netns', 'gcp', 'alibaba', 'aws', 'azure'] as const

const NEVER_PASSED: readonly number[] = [tlvType.checksum, tlvType.noop]

/** Unknown types do not go on. A network namespace belongs to another machine. */
const DEFAULT_PASSED = NAMES.filter(name => name !== 'netns')

/** A TLV's type, by name or number. */
export type TlvName = (typeof NAMES)[number] | number

const type = z
  .int()
  .min(0)
  .max(255)
  .refine(number => !NEVER_PASSED.includes(number), {
    error: 'the types 3 (checksum, computed anew) and 4 (padding) are never passed on',
  })

export const passSchema: z.ZodType<ReadonlySet<number>, readonly TlvName[] | undefined> = z
  .array(z.union([z.enum(NAMES), type]))
  .default(DEFAULT_PASSED)
  .transform(names => new Set(names.map(name => (typeof name === 'number' ? name : tlvType[name]))))
  .meta(
    meta({
      description:
        "TLVs of an inbound header that go on, by name or number, in place of the relay's own of the same type.",
    }),
  )

export function passName(number: number): string {
  return NAMES.find(name => tlvType[name] === number) ?? String(number)
}
