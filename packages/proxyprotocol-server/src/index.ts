// What the programs are made of, for use in one's own.

export {
  ConfigError,
  formatAddress,
  parseAddress,
  parseService,
  parseTrust,
  type Acceptance,
  type Address,
  type AddressOptions,
  type PpMode,
  type Service,
  type ServiceOptions,
  type TrustList,
} from './config/index.ts'
export {
  connectionLimit,
  createRelay,
  type Relay,
  type RelayOptions,
  type RelayRecord,
  type RelaySettings,
  type RelaySettingsInit,
  type RelayTimeouts,
  type Traffic,
} from './relay/index.ts'
