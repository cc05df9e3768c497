export type { AccessCounts } from './access-list.ts'
export { Gate, type GateFigures } from './gate.ts'
