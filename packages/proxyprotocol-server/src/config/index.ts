export {
  addressKey,
  formatAddress,
  formatEndpoint,
  formatHostPort,
  parseAddress,
  endpointOptions,
} from './address/index.ts'
export type { Address, AddressOptions, TcpAddress, UdpAddress, UnixAddress } from './address/index.ts'
export { canonicalHost } from './address/index.ts'
export type { AddressRole } from './address/index.ts'
export type { PpMode, UdpMode } from './address/index.ts'
export { ConfigError } from './text/index.ts'
export { nearest } from './text/index.ts'
export { acceptsHeaders } from './defaults.ts'
export type { Source } from './sources.ts'
export { combineConfig, parseConfig, type Additions, type Override } from './parse-config.ts'
export { publishedSchema } from './published-schema.ts'
export { schemaNode, UNITS, type SchemaNode } from './text/index.ts'
export type { AccessInit, AccessRules, AclFrom } from './schema/index.ts'
export type { AdminSettings, AdminSettingsInit } from './schema/index.ts'
export type { ControlSettings, ControlSettingsInit } from './schema/index.ts'
export { configSchema, parseAdmin } from './schema/index.ts'
export type { Configuration, ConfigurationInit } from './schema/index.ts'
export type { DatagramSettings } from './schema/index.ts'
export type { BlockLists, BlockListsInit, ListedAction } from './schema/index.ts'
export type { OverLimit, ServiceLimits, ServiceLimitsInit } from './schema/index.ts'
export type { LogFormat, LogSettings, LogSettingsInit, ServiceLog } from './schema/index.ts'
export { branchesOf } from './schema/index.ts'
export type { Branch, Fallback, Passthrough, PassthroughInit } from './schema/index.ts'
export type { Route, RouteInit, RouteSettings, UnknownNames } from './schema/index.ts'
export type { CertificateFiles, ListenRoute, ListenTls, ListenTlsInit } from './schema/index.ts'
export { isNamed } from './schema/index.ts'
export { passName, type TlvName } from './schema/index.ts'
export type { Acceptance, Service, ServiceInit, ServiceOptions } from './schema/index.ts'
export type { Rate, RateInit } from './schema/index.ts'
export type { OwnTlv, OwnTlvsInit, TlvFact } from './schema/index.ts'
export type { Shutdown, ShutdownInit } from './schema/index.ts'
export type { RouteTimeouts, ServiceTimeouts, ServiceTimeoutsInit } from './schema/index.ts'
export type { ActiveCheck, CheckType, OnDown, PassiveHealth } from './health.ts'
export { balances, MAX_WEIGHT, poolDefaults, sentHeader, settlePool } from './pool.ts'
export type {
  Balance,
  NameResolution,
  Pool,
  PoolInit,
  QueueSettings,
  SentHeader,
  UpstreamInit,
  UpstreamSettings,
} from './pool.ts'
export type { CheckText, HealthText, PoolOptions, UpstreamText } from './schema/index.ts'
export { parseService } from './service.ts'
export { wanted } from './text/index.ts'
export { settings, VARIABLE_PREFIX, type Setting } from './settings.ts'
export {
  type AccessLists,
  checkNetworkFiles,
  networkFile,
  type NetworkList,
  type Networks,
  readAccessLists,
} from './networks.ts'
export { parseTrust } from './trust.ts'
export type { TrustList } from './trust.ts'
export {
  type KeyPair,
  type ListenFiles,
  listenCertificates,
  pairOptions,
  readListenFiles,
} from './listen-files.ts'
export {
  contextOptions,
  ownCertificates,
  readTlsFiles,
  type OwnCertificate,
  type TlsFiles,
} from './tls-files.ts'
export { filledTls, settleTls } from './address/index.ts'
export type { TlsInit, TlsSettings, TlsVerify, TlsVersion } from './address/index.ts'
