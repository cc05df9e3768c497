// The JSON Schema, --help and docs/config.md follow from this.

import { z } from 'zod'
import { integer, meta } from './keys.ts'
import {
  adminSchema,
  type AdminSettings,
  type AdminSettingsInit,
  controlSchema,
  type ControlSettings,
  type ControlSettingsInit,
  logSchema,
  type LogSettings,
  type LogSettingsInit,
  type Shutdown,
  type ShutdownInit,
  shutdownSchema,
} from './program/index.ts'
import { conflicts, overlapWith, placedServices, settled, unknownNames } from './service-list.ts'
import { defaultsSchema, type Service, serviceSchema } from './service.ts'
import type { ServiceDefaults, ServiceInit } from './service-options.ts'

/** More than machines have processors. */
const MAX_WORKERS = 512

/** The configuration, with defaults. */
export interface Configuration {
  readonly services: readonly Service[]
  readonly shutdown: Shutdown
  readonly log: LogSettings
  readonly admin: AdminSettings | undefined
  readonly control: ControlSettings | undefined
  /** Processes that serve all services; 1 is the main process. */
  readonly workers: number
  /** What relays plain TCP. */
  readonly dataPlane: DataPlane
}

/** `auto` uses handles where they work, and sockets elsewhere. */
export type DataPlane = 'auto' | 'sockets'

export interface ConfigurationInit {
  readonly $schema?: string | undefined
  readonly defaults?: ServiceDefaults | undefined
  readonly services: readonly ServiceInit[]
  readonly shutdown?: ShutdownInit | undefined
  readonly log?: LogSettingsInit | undefined
  readonly admin?: AdminSettingsInit | undefined
  readonly control?: ControlSettingsInit | undefined
  readonly workers?: number | undefined
  readonly dataPlane?: DataPlane | undefined
}

export const configSchema: z.ZodType<Configuration, ConfigurationInit> = z
  .strictObject({
    $schema: z
      .string()
      .optional()
      .meta(
        meta({
          description: 'The JSON Schema of this file, for editors; the program ignores it.',
          examples: ['./node_modules/proxyprotocol-server/config.schema.json'],
        }),
      ),
    defaults: defaultsSchema,
    services: z
      .array(serviceSchema)
      .min(1)
      .meta(meta({ description: 'The services; each listens at an address and connects to another.' })),
    shutdown: shutdownSchema,
    log: logSchema,
    admin: adminSchema,
    control: controlSchema,
    workers: integer({
      description:
        'Processes that serve together, to use several processors. Limits apply to each of them; log, admin ' +
        'listener and signals are those of one program.',
      default: 1,
      max: MAX_WORKERS,
      flag: 'workers',
    }),
    dataPlane: z
      .enum(['auto', 'sockets'])
      .default('sockets')
      .meta(
        meta({
          description:
            'What relays plain TCP: `auto` takes the handles below the sockets of Node if their test at start ' +
            'succeeds, and `sockets` never does.',
          flag: 'data-plane',
        }),
      ),
  })
  .check(({ value: { services, admin }, issues }) => {
    const placed = services.flatMap(placedServices)
    for (const { index, path, message } of conflicts(placed)) {
      issues.push({ code: 'custom', message, path: ['services', index, ...path], input: services[index] })
    }
    for (const { at, message } of admin ? unknownNames(admin.readyNeeds, placed) : []) {
      const path = ['admin', 'readyNeeds', at]
      issues.push({ code: 'custom', message, path, input: admin?.readyNeeds[at] })
    }
    const message = admin && overlapWith(admin.listen, placed)
    if (message !== undefined)
      issues.push({ code: 'custom', message, path: ['admin', 'listen'], input: admin?.listen })
  })
  .transform(({ services, ...program }) => ({
    services: settled(services.flat()),
    shutdown: program.shutdown,
    log: program.log,
    admin: program.admin,
    control: program.control,
    workers: program.workers,
    dataPlane: program.dataPlane,
  }))
