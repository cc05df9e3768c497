// A relay in a process of its own, for what only a process shows: its memory, its descriptors, their limit, and its end.
// It takes its settings as JSON, answers questions by messages, and drains at SIGTERM.

import { subscribe } from 'node:diagnostics_channel'
import { readdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { diagnosticsChannels, type ClosedMessage, type ServerStats } from 'proxyprotocol/server'
import { parseService } from '../../src/config/index.ts'
import { createRelay, type RelayRecord, type RelaySettingsInit } from '../../src/relay/index.ts'

/** What such a process is started with. */
export interface RelayProcessSettings extends RelaySettingsInit {
  /** Default `127.0.0.1:0`; where it says `pp`, anyone is trusted. */
  readonly source?: string
  readonly upstream: string
  /** Milliseconds that connections have after SIGTERM. */
  readonly drain?: number
}

/** How a relay's process is. */
export interface RelayHealth {
  readonly stats: ServerStats
  /** The longest that a connection lived from accept to its end, in milliseconds, by the reason of its end. */
  readonly oldest: Readonly<Record<string, number>>
  /** Connections whose client does not take what it is sent, so that their upstream is no longer read. */
  readonly stalled: number
  /** Open files of the process. */
  readonly descriptors: number
  /** Bytes: the process in memory, objects, and buffers; after a collection where one was asked for. */
  readonly memory: { readonly resident: number; readonly heap: number; readonly external: number }
  /** The most milliseconds that the event loop was late, all that it did itself included. */
  readonly lateness: number
  /** What should not happen: process warnings, and what came to onError. */
  readonly faults: readonly string[]
  /** The reasons of the relay's records, counted. */
  readonly records: Readonly<Record<string, number>>
}

/** How often the event loop is asked how late it is, in milliseconds. */
const RESOLUTION = 10

const { source = '127.0.0.1:0', upstream, drain, ...options } = settingsOf(process.argv[2])
const loop = monitorEventLoopDelay({ resolution: RESOLUTION })
const faults: string[] = []
const records: Record<string, number> = {}
const oldest: Record<string, number> = {}

const relay = createRelay(parseService(source, upstream, trusting(source)), {
  ...options,
  onError: error => void faults.push(`onError: ${String(error)}`),
  onClosed: ({ reason }: RelayRecord) => {
    records[reason] = (records[reason] ?? 0) + 1
  },
})
const { server } = relay
loop.enable()
process.on('warning', warning => void faults.push(`warning: ${String(warning)}`))
process.on('unhandledRejection', reason => void faults.push(`unhandled: ${String(reason)}`))
process.on('message', message => {
  if (message === 'collect') globalThis.gc?.()
  process.send?.(health())
})
process.once('SIGTERM', () => void stop())
subscribe(diagnosticsChannels.closed, message => {
  const { reason, connection } = message as ClosedMessage // as the channel documents it
  oldest[reason] = Math.max(oldest[reason] ?? 0, connection?.age ?? 0)
})
const { port } = (await relay.listen()) as AddressInfo
process.send?.({ port })

function settingsOf(json = '{}'): RelayProcessSettings {
  return JSON.parse(json) as RelayProcessSettings // the test's own
}

function trusting(address: string): { trust?: 'anyone' } {
  return address.includes('pp=') ? { trust: 'anyone' } : {}
}

function health(): RelayHealth {
  const { rss, heapUsed, external } = process.memoryUsage()
  return {
    stats: server.stats(),
    oldest,
    stalled: [...server.connections].filter(({ socket }) => socket.writableNeedDrain).length,
    descriptors: readdirSync('/dev/fd').length,
    memory: { resident: rss, heap: heapUsed, external },
    lateness: Math.max(0, loop.max / 1e6 - RESOLUTION),
    faults,
    records,
  }
}

/** The last message is how it ended; the process ends by itself, when nothing of it is left. */
async function stop(): Promise<void> {
  const { drained, forced, stuck } = await server.close({ drain })
  loop.disable()
  process.send?.({ ...health(), closed: { drained, forced, stuck: stuck.length } })
  process.disconnect()
}
