// The sections of the program, beside its services.

export { adminSchema, type AdminSettings, type AdminSettingsInit, parseAdmin } from './admin.ts'
export { controlSchema, type ControlSettings, type ControlSettingsInit } from './control.ts'
export {
  type LogFormat,
  logSchema,
  type LogSettings,
  type LogSettingsInit,
  type ServiceLog,
  serviceLogSchema,
} from './log.ts'
export { type Shutdown, type ShutdownInit, shutdownSchema } from './shutdown.ts'
