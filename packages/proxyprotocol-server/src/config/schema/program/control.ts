import { z } from 'zod'
import { meta } from '../keys.ts'

/** What `sun_path` of the kernel takes. */
const MAX_PATH_BYTES = 107

/** How a running program is operated. */
export interface ControlSettings {
  /** The path of the UNIX socket. */
  readonly socket: string
}

export interface ControlSettingsInit {
  readonly socket?: string | undefined
}

const socket = z
  .string()
  .refine(path => path !== '' && Buffer.byteLength(path) <= MAX_PATH_BYTES, {
    error: `must be a path of at most ${String(MAX_PATH_BYTES)} bytes`,
  })
  .optional()
  .meta(
    meta({
      description:
        'Path of the UNIX socket for `proxyprotocol-server ctl`. Only the user of the program may use it. Without ' +
        'this key there is none.',
      defaultIs: 'none',
      flag: 'control',
      placeholder: 'PATH',
      examples: ['/run/proxyprotocol/control.sock'],
    }),
  )

export const controlSchema: z.ZodType<ControlSettings | undefined, ControlSettingsInit | undefined> = z
  .strictObject({ socket })
  .prefault({})
  .transform(given => (given.socket === undefined ? undefined : { socket: given.socket }))
  .meta(meta({ description: 'The control socket.' }))
