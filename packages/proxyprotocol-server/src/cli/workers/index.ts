export { WorkerGroup } from './worker-group.ts'
