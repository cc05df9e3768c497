// Configuration: what the programs' users write, read and checked.

export { formatAddress, formatPlace, parseAddress, placeOf } from './address.ts'
export type { Address, AddressOptions, TcpAddress, UnixAddress } from './address.ts'
export type { AddressRole } from './address-input.ts'
export type { PpMode } from './address-query.ts'
export { ConfigError } from './config-error.ts'
export { nearest } from './nearest.ts'
export { combineConfig, parseConfig, type Additions, type Override } from './parse-config.ts'
export { publishedSchema } from './published-schema.ts'
export { schemaNode, UNITS, type SchemaNode } from './schema-node.ts'
export type { AdminSettings, AdminSettingsInit } from './schema-admin.ts'
export { configSchema } from './schema.ts'
export type { Configuration, ConfigurationInit } from './schema.ts'
export type { BlockLists, BlockListsInit, ListedAction } from './schema-dnsbl.ts'
export type { OverLimit, ServiceLimits, ServiceLimitsInit } from './schema-limits.ts'
export type { LogFormat, LogSettings, LogSettingsInit } from './schema-log.ts'
export type { Passthrough, PassthroughInit } from './schema-passthrough.ts'
export { passName, type TlvName } from './schema-pass.ts'
export type { Acceptance, Service, ServiceInit, ServiceOptions } from './schema-service.ts'
export type { Shutdown, ShutdownInit } from './schema-shutdown.ts'
export type { ServiceTimeouts, ServiceTimeoutsInit } from './schema-timeouts.ts'
export { balances, poolDefaults, sentHeader, settlePool } from './pool.ts'
export type {
  ActiveCheck,
  Balance,
  NameResolution,
  PassiveHealth,
  Pool,
  PoolInit,
  SentHeader,
  UpstreamInit,
  UpstreamSettings,
} from './pool.ts'
export type { PoolOptions, UpstreamText } from './schema-upstreams.ts'
export { parseService } from './service.ts'
export { wanted } from './wanted.ts'
export { settings, VARIABLE_PREFIX, type Setting } from './settings.ts'
export { parseTrust } from './trust.ts'
export type { TrustList } from './trust.ts'
export {
  contextOptions,
  ownCertificates,
  readTlsFiles,
  type OwnCertificate,
  type TlsFiles,
} from './tls-files.ts'
export { settleTls } from './tls.ts'
export type { TlsInit, TlsSettings, TlsVerify, TlsVersion } from './tls.ts'
