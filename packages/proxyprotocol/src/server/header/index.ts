// Reading the header from the start of a connection.

export { Deadlines } from './deadlines.ts'
export { type ExactRules, firstRoom, type ReadAhead, takeStart } from './exact-start.ts'
export {
  DEFAULT_HEADER_TIMEOUT,
  readHeader,
  type ReadHeaderOptions,
  type ReadHeaderResult,
} from './read-header.ts'
export type { StartWaiter } from './read-start.ts'
