// What the programs are made of, for use in one's own.

export {
  ConfigError,
  formatAddress,
  parseAddress,
  parseService,
  type Address,
  type AddressOptions,
  type PpMode,
  type Service,
} from './config/index.ts'
export { createRelay, type Relay, type RelayOptions, type RelayRecord, type Traffic } from './relay/index.ts'
