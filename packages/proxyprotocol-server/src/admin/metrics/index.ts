// Metrics in the text format of Prometheus.

export { exposition } from './metric.ts'
export { metrics } from './metrics.ts'
