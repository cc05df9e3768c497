// The process itself, and several processes of one program as one.

/** Durations in milliseconds, sizes in bytes. */
export interface ProcessFigures {
  readonly pid: number
  readonly node: string
  readonly startedAt: string
  readonly uptime: number
  readonly cpu: number
  /** The last known value if no descriptor is left to read it with; `heapUsed` too. */
  readonly residentMemory: number
  readonly heapUsed: number
  /** Undefined if the system does not report it; `maxFiles` too. */
  readonly openFiles: number | undefined
  readonly maxFiles: number | undefined
  readonly eventLoopDelay: { readonly p50: number; readonly p99: number; readonly max: number }
}

export function sumOfProcesses(one: ProcessFigures, other: ProcessFigures): ProcessFigures {
  const [delay, delays] = [one.eventLoopDelay, other.eventLoopDelay]
  return {
    ...one,
    cpu: one.cpu + other.cpu,
    residentMemory: one.residentMemory + other.residentMemory,
    heapUsed: one.heapUsed + other.heapUsed,
    openFiles: sumOfKnown(one.openFiles, other.openFiles),
    maxFiles: sumOfKnown(one.maxFiles, other.maxFiles),
    eventLoopDelay: {
      p50: Math.max(delay.p50, delays.p50),
      p99: Math.max(delay.p99, delays.p99),
      max: Math.max(delay.max, delays.max),
    },
  }
}

function sumOfKnown(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one + other
}
