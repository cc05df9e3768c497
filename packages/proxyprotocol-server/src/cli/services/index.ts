// Runs, reloads and watches the services in one process.

export { type Shown, startAdmin } from './admin.ts'
export { assignSockets, inheritedBy, type InheritedSocket, inheritedSockets } from './inherited-sockets.ts'
export { type ChangeCounts, logReload, naming, refuseWithoutRestart } from './running-configuration.ts'
export { ServiceHost, type Serving } from './service-host.ts'
export { describePool } from './show-pool.ts'
