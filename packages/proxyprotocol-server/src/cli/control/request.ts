// One line of JSON asks, and one answers.

import { z } from 'zod'
import { MAX_WEIGHT } from '../../config/index.ts'

interface Target {
  readonly service: string
  readonly upstream: string
}

const listings = ['services', 'upstreams', 'connections', 'refusals'] as const

export type ControlRequest =
  | { readonly command: (typeof listings)[number]; readonly service?: string | undefined }
  | ({ readonly command: 'drain' | 'undrain' } & Target)
  | ({ readonly command: 'weight'; readonly weight: number } & Target)
  | {
      readonly command: 'close'
      readonly id?: string | undefined
      readonly source?: string | undefined
      readonly upstream?: string | undefined
    }
  | { readonly command: 'reload' }

export type ControlAnswer =
  | { readonly status: 'done'; readonly result: unknown }
  | { readonly status: 'refused'; readonly error: string }

/** No request needs more, and a client must not fill the memory. */
export const MAX_REQUEST_BYTES = 65_536

const text = z.string()
const target = { service: text, upstream: text }

export const controlRequest: z.ZodType<ControlRequest> = z.discriminatedUnion('command', [
  z.strictObject({ command: z.enum(listings), service: text.optional() }),
  z.strictObject({ command: z.enum(['drain', 'undrain']), ...target }),
  z.strictObject({ command: z.literal('weight'), ...target, weight: z.int().min(0).max(MAX_WEIGHT) }),
  z.strictObject({
    command: z.literal('close'),
    id: text.optional(),
    source: text.optional(),
    upstream: text.optional(),
  }),
  z.strictObject({ command: z.literal('reload') }),
])
