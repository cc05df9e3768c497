// Metrics about the program and its process; those that all programs have bear the names that Prometheus gives them.

import type { Snapshot } from '../snapshot.ts'
import type { Metric, Sample } from './metric.ts'

const SECOND = 1_000

/** Summaries with the label `quantile` never forget; these begin anew each minute. */
const delayMetrics: readonly Metric[] = [
  {
    name: 'proxyprotocol_event_loop_delay_p50_seconds',
    type: 'gauge',
    help: 'How late the event loop is: the median of this minute.',
    labels: [],
    samples: single(snapshot => snapshot.process.eventLoopDelay.p50 / SECOND),
  },
  {
    name: 'proxyprotocol_event_loop_delay_p99_seconds',
    type: 'gauge',
    help: 'How late the event loop is: in this minute 99 of 100 delays are at most this long.',
    labels: [],
    samples: single(snapshot => snapshot.process.eventLoopDelay.p99 / SECOND),
  },
  {
    name: 'proxyprotocol_event_loop_delay_max_seconds',
    type: 'gauge',
    help: 'How late the event loop is: the longest delay of this minute.',
    labels: [],
    samples: single(snapshot => snapshot.process.eventLoopDelay.max / SECOND),
  },
]

export const processMetrics: readonly Metric[] = [
  {
    name: 'proxyprotocol_build_info',
    type: 'gauge',
    help: 'Always 1; the labels say what runs.',
    labels: ['version', 'node'],
    samples: ({ version, process: { node } }) => [{ labels: { version, node }, value: 1 }],
  },
  {
    name: 'proxyprotocol_ready',
    type: 'gauge',
    help: '1 while connections are taken, 0 before and while draining.',
    labels: [],
    samples: single(({ readiness }) => (readiness === 'ready' ? 1 : 0)),
  },
  {
    name: 'proxyprotocol_log_lines_lost_total',
    type: 'counter',
    help: 'Log lines that were lost because their reader was gone or slow.',
    labels: [],
    samples: single(({ lostLogLines }) => lostLogLines),
  },
  ...delayMetrics,
  {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'Processor time of the process, its own and that of the system for it.',
    labels: [],
    samples: single(snapshot => snapshot.process.cpu / SECOND),
  },
  {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Memory of the process that is in use.',
    labels: [],
    samples: single(snapshot => snapshot.process.residentMemory),
  },
  {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'When the process started, in seconds since 1970.',
    labels: [],
    samples: single(snapshot => Date.parse(snapshot.process.startedAt) / SECOND),
  },
  {
    name: 'process_open_fds',
    type: 'gauge',
    help: 'Files and sockets that are open; absent where the system does not tell.',
    labels: [],
    samples: single(snapshot => snapshot.process.openFiles),
  },
  {
    name: 'process_max_fds',
    type: 'gauge',
    help: 'Files and sockets that may be open; absent where the system does not tell.',
    labels: [],
    samples: single(snapshot => snapshot.process.maxFiles),
  },
]

function single(read: (snapshot: Snapshot) => number | undefined) {
  return (snapshot: Snapshot): readonly Sample[] => {
    const value = read(snapshot)
    return value === undefined ? [] : [{ labels: {}, value }]
  }
}
