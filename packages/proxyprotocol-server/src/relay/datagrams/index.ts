export { bindOnce } from './client-port.ts'
export { DatagramRelay, type DatagramRelayOptions, type FlowRecord } from './datagram-relay.ts'
export { flowLimit, localPorts } from './flow-limit.ts'
export type { ServiceRelay, ServiceServer } from './service-relay.ts'
