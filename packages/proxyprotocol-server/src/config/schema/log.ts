// The section `log`.

import { z } from 'zod'
import { meta } from './keys.ts'

/** How log lines look. */
export type LogFormat = 'text' | 'json'

/** What the program writes; settled. */
export interface LogSettings {
  readonly format: LogFormat
  /** Of connections only those that the upstream or the program failed. */
  readonly quiet: boolean
}

/** As a user writes it; what is left out has its default. */
export type LogSettingsInit = { readonly [Key in keyof LogSettings]?: LogSettings[Key] | undefined }

export const logSchema: z.ZodType<LogSettings, LogSettingsInit | undefined> = z
  .strictObject({
    format: z
      .enum(['text', 'json'])
      .default('text')
      .meta(
        meta({
          description: 'How log lines look: text for people, JSON for programs that collect them.',
          flag: 'log-format',
        }),
      ),
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
