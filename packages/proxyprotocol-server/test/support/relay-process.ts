// A relay in a process of its own.

import { parseService, type ServiceOptions } from '../../src/config/index.ts'
import { createRelay } from '../../src/relay/index.ts'
import { testedPlane } from './planes.ts'
import { runServerProcess } from './server-process.ts'

/** What such a process is started with. */
export interface RelayProcessSettings extends ServiceOptions {
  /** Default `127.0.0.1:0`; where it says `pp`, anyone is trusted. */
  readonly source?: string
  readonly upstream: string
  /** Milliseconds that connections have after SIGTERM. */
  readonly drain?: number
}

const settings = JSON.parse(process.argv[2] ?? '') as RelayProcessSettings // the test's own
const { source = '127.0.0.1:0', upstream, drain, ...options } = settings
const faults: string[] = []
/** Records, by their reasons. */
const counts: Record<string, number> = {}
const trust = source.includes('pp=') ? { trust: 'anyone' as const } : {}
const relay = createRelay(parseService(source, upstream, { ...trust, ...options }), {
  dataPlane: testedPlane,
  onError: error => void faults.push(`onError: ${String(error)}`),
  onRejected: () => undefined, // a refusal is a warning without it; the counters tell
  onClosed: ({ reason }) => {
    counts[reason] = (counts[reason] ?? 0) + 1
  },
})
await runServerProcess({ server: relay.server, listen: () => relay.listen(), drain, counts, faults })
