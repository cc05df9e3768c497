export type { AccessCounts } from './access-list.ts'
export { Gate } from './gate.ts'
