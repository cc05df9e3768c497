export { type AccessEntry, describeAccess, describeFlow, rejectedEntry } from './access-log.ts'
export { describeConnection } from './header-fields.ts'
export { Log, logFormats, writerTo } from './log.ts'
export { asciiOnly, type LogFields, quoted, showAddress, showEndpoint } from './text.ts'
