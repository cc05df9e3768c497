// The section `log`.

import { z } from 'zod'
import { meta } from './schema-keys.ts'

/** What the program writes; settled. */
export interface LogSettings {
  /** Of connections only those that the upstream or the program failed. */
  readonly quiet: boolean
}

/** As a user writes it; what is left out has its default. */
export type LogSettingsInit = { readonly [Key in keyof LogSettings]?: LogSettings[Key] | undefined }

export const logSchema: z.ZodType<LogSettings, LogSettingsInit | undefined> = z
  .strictObject({
    quiet: z
      .boolean()
      .default(false)
      .meta(
        meta({
          description:
            'Leaves out the lines about connections, but for those that the upstream or the program failed.',
          flag: 'quiet',
          short: 'q',
        }),
      ),
  })
  .prefault({})
  .meta(meta({ description: 'What the program writes to standard output.' }))
