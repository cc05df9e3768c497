export type { AccessInit, AccessRules, AclFrom } from './clients/index.ts'
export type {
  AdminSettings,
  AdminSettingsInit,
  ControlSettings,
  ControlSettingsInit,
  LogFormat,
  LogSettings,
  LogSettingsInit,
  ServiceLog,
  Shutdown,
  ShutdownInit,
} from './program/index.ts'
export { parseAdmin } from './program/index.ts'
export { configSchema, type Configuration, type ConfigurationInit } from './configuration.ts'
export { type DatagramSettings, meaningless } from './datagrams.ts'
export type { BlockLists, BlockListsInit, ListedAction } from './dnsbl.ts'
export type { OverLimit, ServiceLimits, ServiceLimitsInit } from './clients/index.ts'
export type { CheckText, HealthText } from './health/index.ts'
export { isNamed } from './service-list.ts'
export { passName, type TlvName } from './pass.ts'
export { branchesOf, newer } from './tls/index.ts'
export type {
  Branch,
  CertificateFiles,
  Fallback,
  ListenRoute,
  ListenTls,
  ListenTlsInit,
  Passthrough,
  PassthroughInit,
  Route,
  RouteInit,
  UnknownNames,
  RouteSettings,
} from './tls/index.ts'
export type { Rate, RateInit } from './clients/index.ts'
export type { Acceptance } from './clients/index.ts'
export { defaultKeys, type Service, serviceSchema } from './service.ts'
export type { ServiceInit, ServiceOptions } from './service-options.ts'
export type { OwnTlv, OwnTlvsInit, TlvFact } from './tlvs.ts'
export type { RouteTimeouts, ServiceTimeouts, ServiceTimeoutsInit } from './timeouts.ts'
export type { PoolOptions, UpstreamText } from './upstreams.ts'
