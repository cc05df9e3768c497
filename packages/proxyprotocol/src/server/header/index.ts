// Reading the header from the start of a connection.

export { takeStart } from './exact-start.ts'
export {
  DEFAULT_HEADER_TIMEOUT,
  readHeader,
  type ReadHeaderOptions,
  type ReadHeaderResult,
} from './read-header.ts'
export type { StartRules } from './read-start.ts'
