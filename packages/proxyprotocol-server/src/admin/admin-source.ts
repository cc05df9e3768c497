// The admin listener knows no relay: the program passes an object of this shape.

import type { LiveConnection, ProcessFigures, Readiness, Refusal, ServiceFigures } from '../figures/index.ts'

export interface AdminSource {
  readonly version: string
  readonly readiness: () => Readiness
  readonly services: () => Iterable<ServiceFigures>
  readonly connections: (service: string) => Iterable<LiveConnection>
  readonly refusals: () => readonly Refusal[]
  readonly lostLogLines: () => number
  /** `listing` includes the connections. */
  readonly refresh?: ((listing: boolean) => Promise<void>) | undefined
  readonly allProcesses?: ((own: ProcessFigures) => ProcessFigures) | undefined
}
