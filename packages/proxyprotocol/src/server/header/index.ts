// Reading the header from the start of a connection.

export { Deadlines } from './deadlines.ts'
export { type ExactRules, firstRoom, type ReadAhead } from './exact-reader.ts'
export {
  DEFAULT_HEADER_TIMEOUT,
  readHeader,
  type ReadHeaderOptions,
  type ReadHeaderResult,
} from './read-header.ts'
export type { StartWaiter } from './start-reader.ts'
export { takeStart } from './take-start.ts'
