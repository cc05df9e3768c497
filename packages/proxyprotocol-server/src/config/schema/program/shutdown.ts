import { z } from 'zod'
import { meta, milliseconds } from '../keys.ts'

/** What orchestrators wait before they kill. */
const DEFAULT_DRAIN = 30_000

/** How the program ends at its first signal, in milliseconds. */
export interface Shutdown {
  /** The time for open connections before they are reset. */
  readonly drain: number
  /** How long it still accepts. */
  readonly readyDelay: number
}

export type ShutdownInit = { readonly [Key in keyof Shutdown]?: number | string | undefined }

export const shutdownSchema: z.ZodType<Shutdown, ShutdownInit | undefined> = z
  .strictObject({
    drain: milliseconds({
      description: 'Time for open connections after the program stopped listening; then they are reset.',
      default: DEFAULT_DRAIN,
      min: 0,
      flag: 'drain',
    }),
    readyDelay: milliseconds({
      description: 'How long the program still accepts after the signal, so that a load balancer notices.',
      default: 0,
      min: 0,
      flag: 'ready-delay',
    }),
  })
  .prefault({})
  .meta(meta({ description: 'How the program ends at SIGTERM or SIGINT.' }))
