// One reading, which an answer is made from: numbers that are shown together were read together. With many services the reading
// takes several turns of the event loop; the numbers of one service are always of one moment.

import {
  noTotals,
  sumOfTotals,
  type ProcessFigures,
  type Readiness,
  type RelayTotals,
  type ServiceFigures,
} from '../figures/index.ts'
import type { AdminSource } from './admin-source.ts'
import type { ProcessFacts } from './process-facts.ts'
import { inSlices } from './slices.ts'

/** Everything in one reading. */
export interface Snapshot {
  readonly version: string
  readonly readiness: Readiness
  readonly process: ProcessFigures
  readonly lostLogLines: number
  readonly services: readonly ServiceFigures[]
  /** The sum of all services. */
  readonly totals: RelayTotals
}

export async function snapshotOf(source: AdminSource, facts: ProcessFacts): Promise<Snapshot> {
  const [own] = await Promise.all([facts.view(), source.refresh?.()])
  const services: ServiceFigures[] = []
  let totals = noTotals
  for await (const slice of inSlices(source.services())) {
    services.push(...slice)
    totals = slice.reduce((sum, service) => sumOfTotals(sum, service.totals), totals)
  }
  return {
    version: source.version,
    readiness: source.readiness(),
    process: source.allProcesses?.(own) ?? own,
    lostLogLines: source.lostLogLines(),
    services,
    totals,
  }
}
