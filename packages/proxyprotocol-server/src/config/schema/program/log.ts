import { z } from 'zod'
import { meta } from '../keys.ts'

export type LogFormat = 'text' | 'json'

/** The log, with defaults. */
export interface LogSettings {
  readonly format: LogFormat
  /** Of connections only failures of an upstream or of this program. */
  readonly quiet: boolean
}

export type LogSettingsInit = { readonly [Key in keyof LogSettings]?: LogSettings[Key] | undefined }

/** The log of one service. */
export interface ServiceLog {
  /** Undefined for that of the program. */
  readonly quiet?: boolean | undefined
}

export const logSchema: z.ZodType<LogSettings, LogSettingsInit | undefined> = z
  .strictObject({
    format: z
      .enum(['text', 'json'])
      .default('text')
      .meta(
        meta({
          description: 'The format of log lines: text for people, JSON for programs.',
          flag: 'log-format',
        }),
      ),
    quiet: z
      .boolean()
      .default(false)
      .meta(
        meta({
          description: 'Logs only failures of connections that an upstream or this program caused.',
          flag: 'quiet',
          short: 'q',
        }),
      ),
  })
  .prefault({})
  .meta(meta({ description: 'The lines on standard output.' }))

export const serviceLogSchema: z.ZodType<ServiceLog, ServiceLog | undefined> = z
  .strictObject({
    quiet: z
      .boolean()
      .optional()
      .meta(meta({ description: 'As `log.quiet`, for this service.', defaultIs: 'that of the program' })),
  })
  .prefault({})
  .meta(meta({ description: 'The lines of this service.' }))
