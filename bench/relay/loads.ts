// The loads: what is done to a proxy, and which figures come of it.

import type { Answer, Peer } from './peer.ts'
import type { Proxy } from './proxy.ts'

/** What came of one run of a load, by the name of the figure. */
export type Sample = Readonly<Record<string, number>>

export interface Load {
  readonly name: string
  readonly title: string
  /** Whether each run has a process of its own, as memory that was used once stays with a process. */
  readonly fresh: boolean
  /** Whether its clients speak TLS. */
  readonly tls?: true
  /** The figures, the one that counts first, with the digits they are shown with; of those of `up`, more is better. */
  readonly figures: readonly { readonly name: string; readonly digits: number; readonly up?: true }[]
  run(proxy: Proxy, tools: Tools): Promise<Sample>
}

export interface Tools {
  readonly peer: Peer
  /** 1 for a whole run; a part of it for a quick one. */
  readonly scale: number
}

const GIGABYTE = 1e9
const PER = 10_000
const MESSAGE_CONNECTIONS = 100
const HANDSHAKES = 1_000
const PARALLEL = 64
const FLOWS = 8
const FIRST_IDLE = 3_000
const IDLE = 5_000
/** Connections that are open, where it is looked whether cost grows with them. */
const FEW = 100
const MANY = 9_000
/** Milliseconds in which what is done for a connection once it lasts has been done, and memory must not grow any more. */
const SETTLE = 2_000
/** The part of the time in which the proxy used its CPU: near 100, nothing else was in its way. */
const busy = { name: 'busy %', digits: 0 }
const cpu = { name: 'CPU s', digits: 3 }

export const loads: readonly Load[] = [
  {
    name: 'connections',
    title: 'Short connections: 16 bytes there and back, 64 at a time; CPU seconds for 10,000',
    fresh: false,
    figures: [cpu, { name: 'per second', digits: 0, up: true }, { name: 'p99 µs', digits: 0 }],
    async run(proxy, { peer, scale }) {
      const count = PER * scale
      const {
        seconds = NaN,
        p99 = NaN,
        used,
      } = await measured(proxy, peer, `rate ${proxy.port} ${count} ${PARALLEL}`)
      return { 'CPU s': (used * PER) / count, 'per second': count / seconds, 'p99 µs': p99 }
    },
  },
  bulk('up', 'client to backend', [1, 0]),
  bulk('down', 'backend to client', [0, 1]),
  bulk('both', 'both ways at once', [0.5, 0.5]),
  {
    name: 'messages',
    title: 'Round trips of 64 bytes on 100 connections; CPU seconds for 10,000',
    fresh: false,
    figures: [cpu, { name: 'p50 µs', digits: 0 }, { name: 'p99 µs', digits: 0 }],
    async run(proxy, { peer, scale }) {
      const count = 10 * PER * scale
      const command = `messages ${proxy.port} ${MESSAGE_CONNECTIONS} ${count}`
      const { p50 = NaN, p99 = NaN, used } = await measured(proxy, peer, command)
      return { 'CPU s': (used * PER) / count, 'p50 µs': p50, 'p99 µs': p99 }
    },
  },
  {
    name: 'tls-handshakes',
    title: 'TLS that ends at the proxy: a handshake and 16 bytes there and back; CPU seconds for 1,000',
    fresh: false,
    tls: true,
    figures: [cpu, { name: 'per second', digits: 0, up: true }, busy],
    async run(proxy, { peer, scale }) {
      const count = 4 * HANDSHAKES * scale
      const command = `tls rate ${proxy.tlsPort} ${count} ${PARALLEL}`
      const { seconds = NaN, used } = await measured(proxy, peer, command)
      const times = { 'per second': count / seconds, 'busy %': (100 * used) / seconds }
      return { 'CPU s': (used * HANDSHAKES) / count, ...times }
    },
  },
  tlsBulk('tls-up', 'decrypted', [1, 0]),
  tlsBulk('tls-down', 'encrypted', [0, 1]),
  {
    name: 'beside',
    title:
      'Beside 4 bulk flows: round trips of 64 bytes on 10 connections, and 200 new connections, 20 at a time',
    fresh: false,
    figures: [
      { name: 'p50 µs', digits: 0 },
      { name: 'p99 µs', digits: 0 },
      { name: 'set-up ms', digits: 1 },
    ],
    async run(proxy, { peer, scale }) {
      const {
        p50 = NaN,
        p99 = NaN,
        setup = NaN,
      } = await peer.do(`beside ${proxy.port} 4 ${4_000 * scale} 200`)
      await peer.do('close')
      return { 'p50 µs': p50, 'p99 µs': p99, 'set-up ms': setup * 1000 }
    },
  },
  {
    name: 'crowded',
    title: `CPU with ${MANY} connections open, as a multiple of that with ${FEW}: short connections, bulk, round trips on all`,
    fresh: false,
    figures: [
      { name: 'x a connection', digits: 2 },
      { name: 'x a byte', digits: 2 },
      { name: 'x a round trip', digits: 2 },
    ],
    async run(proxy, tools) {
      const few = await costWith(FEW, proxy, tools)
      const many = await costWith(MANY, proxy, tools)
      return {
        'x a connection': many.connections / few.connections,
        'x a byte': many.bytes / few.bytes,
        'x a round trip': many.messages / few.messages,
      }
    },
  },
  {
    name: 'idle',
    title: `Memory of idle connections, after one round trip on each: of ${IDLE} beside ${FIRST_IDLE}`,
    fresh: true,
    figures: [{ name: 'kB each', digits: 1 }],
    async run(proxy, { peer, scale }) {
      const count = IDLE * scale
      // The first ones take the place of what garbage there is, which is more or less by chance.
      await peer.do(`idle ${proxy.port} ${FIRST_IDLE * scale}`)
      await peer.do(`wait ${SETTLE}`)
      const before = proxy.residentBytes()
      await peer.do(`idle ${proxy.port} ${count}`)
      await peer.do(`wait ${SETTLE}`)
      const grown = proxy.residentBytes() - before
      await peer.do('close')
      return { 'kB each': grown / 1000 / count }
    },
  },
  {
    name: 'stalled',
    title: 'Memory growth with 4 clients that read nothing of 500 MB each; then two seconds later',
    fresh: true,
    figures: [
      { name: 'MB', digits: 1 },
      { name: 'MB later', digits: 1 },
    ],
    async run(proxy, { peer }) {
      const before = proxy.residentBytes()
      await peer.do(`stalled ${proxy.port} 4 ${GIGABYTE / 2}`)
      const grown = proxy.residentBytes() - before
      await peer.do(`wait ${SETTLE}`)
      const later = proxy.residentBytes() - before
      await peer.do('close')
      return { MB: grown / 1e6, 'MB later': later / 1e6 }
    },
  },
]

/** @param share gigabytes up and down, of a gigabyte in all. */
function bulk(name: string, which: string, share: readonly [up: number, down: number]): Load {
  return {
    name,
    title: `Bulk, ${which}, 8 connections; CPU seconds for 1 GB`,
    fresh: false,
    figures: [cpu, { name: 'GB/s', digits: 2, up: true }],
    async run(proxy, { peer, scale }) {
      const [up, down] = share.map(part => Math.round((GIGABYTE * part * scale) / FLOWS))
      const command = `bulk ${proxy.port} ${FLOWS} ${String(up)} ${String(down)}`
      const { seconds = NaN, used } = await measured(proxy, peer, command)
      return { 'CPU s': used / scale, 'GB/s': scale / seconds }
    },
  }
}

/** @param share gigabytes up and down. */
function tlsBulk(name: string, what: string, share: readonly [up: number, down: number]): Load {
  return {
    name,
    title: `Bulk, ${what} by the proxy, 8 connections with TLS; CPU seconds for 1 GB`,
    fresh: false,
    tls: true,
    figures: [cpu, { name: 'GB/s', digits: 2, up: true }, busy],
    async run(proxy, { peer, scale }) {
      const [up, down] = share.map(part => Math.round((GIGABYTE * part * scale) / FLOWS))
      const command = `tls bulk ${proxy.tlsPort} ${FLOWS} ${String(up)} ${String(down)}`
      const { seconds = NaN, used } = await measured(proxy, peer, command)
      return { 'CPU s': used / scale, 'GB/s': scale / seconds, 'busy %': (100 * used) / seconds }
    },
  }
}

/** CPU seconds for the same work while so many other connections are open. */
async function costWith(
  open: number,
  proxy: Proxy,
  { peer, scale }: Tools,
): Promise<Readonly<Record<'connections' | 'bytes' | 'messages', number>>> {
  const { port } = proxy
  await peer.do(`idle ${port} ${open}`)
  const connections = await measured(proxy, peer, `rate ${port} ${PER * scale} ${PARALLEL}`)
  const bytes = Math.round((GIGABYTE * scale) / 2 / FLOWS)
  const bulk = await measured(proxy, peer, `bulk ${port} ${FLOWS} ${bytes} ${bytes}`)
  const messages = await measured(proxy, peer, `talk ${port} ${10 * PER * scale}`)
  await peer.do('close')
  return { connections: connections.used, bytes: bulk.used, messages: messages.used }
}

/** A command, and the CPU seconds that it cost the proxy. */
async function measured(
  proxy: Proxy,
  peer: Peer,
  command: string,
): Promise<Answer & { readonly used: number }> {
  const before = proxy.cpuSeconds()
  const answer = await peer.do(command)
  return { ...answer, used: proxy.cpuSeconds() - before }
}
