// The admin listener knows no relay: the program passes an object of this shape.

import type { LiveConnection, ProcessFigures, Readiness, ServiceFigures } from '../figures/index.ts'

export interface AdminSource {
  readonly version: string
  readonly readiness: () => Readiness
  /** Each service may be read only when it is asked for. */
  readonly services: () => Iterable<ServiceFigures>
  /** The oldest first. */
  readonly connections: (service: string) => Iterable<LiveConnection>
  readonly lostLogLines: () => number
  /** Fetches the figures of other processes; undefined if there is only this one. */
  readonly refresh?: (() => Promise<void>) | undefined
  /** All processes as one, given this one; undefined if there is only this one. */
  readonly allProcesses?: ((own: ProcessFigures) => ProcessFigures) | undefined
}
