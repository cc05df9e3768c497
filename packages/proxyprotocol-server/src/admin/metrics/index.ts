export { CONTENT_TYPE, exposition } from './metric.ts'
export { metrics } from './metrics.ts'
