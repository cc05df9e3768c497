// Every metric there is. docs/admin.md shows this table, and a test keeps the two equal.

import type { Metric } from './metric.ts'
import { processMetrics } from './process-metrics.ts'
import { serviceMetrics } from './service-metrics.ts'

/** In the order of docs/admin.md. */
export const metrics: readonly Metric[] = [...serviceMetrics, ...processMetrics]
