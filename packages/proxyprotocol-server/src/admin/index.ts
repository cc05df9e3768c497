export { AdminServer, type AdminOptions } from './admin-server.ts'
export type { AdminSource } from './admin-source.ts'
export { ProcessFacts } from './process-facts.ts'
export { MAX_LISTED } from './stats-document.ts'
