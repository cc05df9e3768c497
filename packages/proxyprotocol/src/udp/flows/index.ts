// The table of flows, and why flows and datagrams end; the relay uses it, too.

export { Flow } from './flow.ts'
export { type FlowSettings, type FlowStats, FlowTable } from './flow-table.ts'
export { type DropReason, dropReasons, type FlowEnd, flowEnds, zeros } from './reasons.ts'
