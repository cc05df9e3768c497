// What the admin listener asks for. It knows no relay: the program passes an object of this shape.

import type { LiveConnection, ProcessFigures, Readiness, ServiceFigures } from '../figures/index.ts'

/** All that the admin listener shows. */
export interface AdminSource {
  /** Of the program. */
  readonly version: string
  readonly readiness: () => Readiness
  /** The services; each may be read only when it is asked for. */
  readonly services: () => Iterable<ServiceFigures>
  /** The open connections of a service, the oldest first. */
  readonly connections: (service: string) => Iterable<LiveConnection>
  /** Log lines that did not get through. */
  readonly lostLogLines: () => number
  /** Fetches the figures of other processes; undefined if there is only this one. */
  readonly refresh?: (() => Promise<void>) | undefined
  /** All processes of the program as one, given this one; undefined if there is only this one. */
  readonly allProcesses?: ((own: ProcessFigures) => ProcessFigures) | undefined
}
