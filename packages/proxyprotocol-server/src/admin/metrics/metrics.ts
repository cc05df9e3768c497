// In the order of docs/admin.md; a test keeps the two equal.

import type { Metric } from './metric.ts'
import { processMetrics } from './process-metrics.ts'
import { serviceMetrics } from './service-metrics.ts'

export const metrics: readonly Metric[] = [...serviceMetrics, ...processMetrics]
