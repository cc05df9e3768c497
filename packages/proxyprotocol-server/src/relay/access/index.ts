// Who may come, and how fast.

export type { AccessCounts } from './access-list.ts'
export { Gate } from './gate.ts'
