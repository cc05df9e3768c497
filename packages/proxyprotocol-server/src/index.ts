// What the programs are made of, for use in one's own.

export {
  ConfigError,
  formatAddress,
  parseAddress,
  parseConfig,
  parseService,
  parseTrust,
  type Acceptance,
  type Address,
  type AddressOptions,
  type Configuration,
  type LogSettings,
  type OverLimit,
  type PpMode,
  type Service,
  type ServiceLimits,
  type ServiceLimitsInit,
  type ServiceOptions,
  type ServiceTimeouts,
  type ServiceTimeoutsInit,
  type Shutdown,
  type TlvName,
  type TrustList,
} from './config/index.ts'
export {
  connectionLimit,
  createRelay,
  type Relay,
  type RelayOptions,
  type RelayRecord,
  type Traffic,
} from './relay/index.ts'
