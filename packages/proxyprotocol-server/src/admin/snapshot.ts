// One reading of everything, which an answer is made from: numbers that are shown together were read together.

import type { ProcessFigures, Readiness, ServiceFigures } from '../figures/index.ts'
import type { AdminSource } from './admin-source.ts'
import type { ProcessFacts } from './process-facts.ts'

/** Everything at one moment. */
export interface Snapshot {
  readonly version: string
  readonly readiness: Readiness
  readonly process: ProcessFigures
  readonly lostLogLines: number
  readonly services: readonly ServiceFigures[]
}

export async function snapshotOf(source: AdminSource, facts: ProcessFacts): Promise<Snapshot> {
  const [own] = await Promise.all([facts.view(), source.refresh?.()])
  const services = [...source.services()]
  return {
    version: source.version,
    readiness: source.readiness(),
    process: source.allProcesses?.(own) ?? own,
    lostLogLines: source.lostLogLines(),
    services,
  }
}
