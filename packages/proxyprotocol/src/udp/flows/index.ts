// The table of flows, which the relay uses, too.

export { Flow } from './flow.ts'
export { type FlowSettings, type FlowStats, FlowTable } from './flow-table.ts'
export { type DropReason, dropReasons, type FlowEnd, flowEnds, zeros } from './reasons.ts'
