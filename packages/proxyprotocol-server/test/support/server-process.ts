// A server in a process of its own, for what only a process shows: its memory, its descriptors, their limit, and its end.
// It answers questions by messages, and drains at SIGTERM.

import { subscribe } from 'node:diagnostics_channel'
import { fstatSync, readdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import {
  diagnosticsChannels,
  type ClosedMessage,
  type ProxyServer,
  type ServerStats,
} from 'proxyprotocol/server'

/** How a server's process is. */
export interface Health {
  readonly stats: ServerStats
  /** The longest that a connection lived from accept to its end, in milliseconds, by the reason of its end. */
  readonly oldest: Readonly<Record<string, number>>
  /** Bytes: the process in memory; objects, and what lies outside their heap, after a collection where one was asked for. */
  readonly memory: { readonly resident: number; readonly heap: number; readonly buffers: number }
  /** The most milliseconds that the event loop was late, all that it did itself included. */
  readonly lateness: number
  /** What should not happen: process warnings, and what the script has put here. */
  readonly faults: readonly string[]
  /** What the script counts. */
  readonly counts: Readonly<Record<string, number>>
}

/** How it is after a collection. */
export interface Collected extends Health {
  /** Open files of the process but for those on disk: the loader of TypeScript may still be writing its cache. */
  readonly descriptors: number
}

/** How a server was when it had let go of everything. */
export interface LastWords extends Health {
  readonly closed: { readonly drained: number; readonly forced: number; readonly stuck: number }
}

/** What a script of such a process tells of itself. */
export interface ServerProcess {
  readonly server: ProxyServer
  readonly listen: () => Promise<AddressInfo | string>
  /** Milliseconds that connections have after SIGTERM. */
  readonly drain?: number | undefined
  readonly counts: Record<string, number>
  readonly faults: string[]
}

/** How often the event loop is asked how late it is, in milliseconds. */
const RESOLUTION = 10

/** Listens, says where, and answers until SIGTERM; the last message is how it ended, and the process ends by itself. */
export async function runServerProcess({
  server,
  listen,
  drain,
  counts,
  faults,
}: ServerProcess): Promise<void> {
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION })
  const oldest: Record<string, number> = {}
  function health(): Health {
    const { rss, heapUsed, external } = process.memoryUsage()
    return {
      stats: server.stats(),
      oldest,
      memory: { resident: rss, heap: heapUsed, buffers: external },
      lateness: Math.max(0, loop.max / 1e6 - RESOLUTION),
      faults,
      counts,
    }
  }
  async function stop(): Promise<void> {
    const { drained, forced, stuck } = await server.close({ drain })
    loop.disable()
    process.send?.({ ...health(), closed: { drained, forced, stuck: stuck.length } } satisfies LastWords)
    process.disconnect()
  }
  process.on('warning', warning => void faults.push(`warning: ${String(warning)}`))
  process.on('unhandledRejection', reason => void faults.push(`unhandled: ${String(reason)}`))
  process.once('SIGTERM', () => void stop())
  /** With thousands of connections it takes too long to count them at every look. */
  function collected(): Collected {
    globalThis.gc?.()
    const descriptors = readdirSync('/dev/fd').filter(name => !isOnDisk(Number(name))).length
    return { ...health(), descriptors }
  }
  process.on('message', message => {
    process.send?.(message === 'collect' ? collected() : health())
  })
  subscribe(diagnosticsChannels.closed, message => {
    const { reason, connection } = message as ClosedMessage // as the channel documents it
    oldest[reason] = Math.max(oldest[reason] ?? 0, connection?.age ?? 0)
  })
  const { port } = (await listen()) as AddressInfo
  loop.enable()
  process.send?.({ port })
}

function isOnDisk(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile()
  } catch {
    return false // that of the folder itself, which has been read
  }
}
