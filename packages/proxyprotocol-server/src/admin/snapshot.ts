// Numbers that are shown together were read together; those of one service at one moment.

import {
  noTotals,
  sumOfTotals,
  type ProcessFigures,
  type Readiness,
  type Refusal,
  type RelayTotals,
  type ServiceFigures,
} from '../figures/index.ts'
import type { AdminSource } from './admin-source.ts'
import type { ProcessFacts } from './process-facts.ts'
import { inSlices } from './slices.ts'

export interface Snapshot {
  readonly version: string
  readonly readiness: Readiness
  readonly process: ProcessFigures
  readonly lostLogLines: number
  readonly refusals: readonly Refusal[]
  readonly services: readonly ServiceFigures[]
  readonly totals: RelayTotals
}

/** @param listing whether the connections are read next. */
export async function snapshotOf(
  source: AdminSource,
  facts: ProcessFacts,
  listing: boolean,
): Promise<Snapshot> {
  const [own] = await Promise.all([facts.view(), source.refresh?.(listing)])
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
    refusals: source.refusals(),
    services,
    totals,
  }
}
