// Datagram sockets on loopback. Each attached one is closed at the end of its test, and its sums are checked
// (contract U21).

import assert from 'node:assert/strict'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { until } from 'test-support/sockets'
import {
  attachDatagrams,
  datagramInfo,
  type DatagramInfo,
  type DatagramOptions,
  datagramStats,
  type DatagramStats,
} from '../../src/udp/index.ts'
import { encodeDatagram, type InetEndpoint, type InetInit } from '../../src/codec/index.ts'

export interface Arrived {
  readonly payload: Buffer
  readonly rinfo: RemoteInfo
  readonly info: DatagramInfo | undefined
}

export interface Endpoint {
  readonly socket: Socket
  readonly port: number
  /** Takes the next datagram. */
  next(): Promise<Arrived>
  /** Datagrams that were not taken. */
  readonly waiting: readonly Arrived[]
}

export interface Attached extends Endpoint {
  stats(): DatagramStats
  /** Awaits so many datagrams, dropped ones included. */
  received(count: number): Promise<DatagramStats>
}

export const PROXY: InetEndpoint = { address: '198.51.100.7', port: 53 }
export const CLIENT: InetEndpoint = { address: '192.0.2.1', port: 5353 }
export const OTHER: InetEndpoint = { address: '2001:db8::2', port: 5354 }

export function headerOf(source: InetEndpoint, destination = PROXY): InetInit {
  return { source, destination, transport: 'DGRAM' }
}

/** A datagram with a version 2 header. */
export function from(source: InetEndpoint, payload: string): Uint8Array {
  return encodeDatagram(headerOf(source), Buffer.from(payload))
}

/** A proxy, an upstream or a client. */
export async function openPeer(t: TestContext): Promise<Endpoint> {
  return endpointOf(t, createSocket('udp4'))
}

/** A socket that reads headers from anyone, unless the options say otherwise. */
export async function openAttached(
  t: TestContext,
  options: Partial<DatagramOptions> = {},
): Promise<Attached> {
  const socket = attachDatagrams(createSocket('udp4'), { trust: 'anyone', ...options })
  const stats = (): DatagramStats => statsOf(socket)
  return {
    ...(await endpointOf(t, socket)),
    stats,
    received: async count => {
      await until(() => stats().received >= count)
      return stats()
    },
  }
}

async function endpointOf(t: TestContext, socket: Socket): Promise<Endpoint> {
  const waiting: Arrived[] = []
  socket.on('message', (payload, rinfo) => waiting.push({ payload, rinfo, info: datagramInfo(rinfo) }))
  t.after(() => end(socket))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    socket,
    port: socket.address().port,
    waiting,
    next: async () => {
      await until(() => waiting.length > 0)
      return waiting.shift() as Arrived // there is one now
    },
  }
}

async function end(socket: Socket): Promise<void> {
  socket.close()
  await once(socket, 'close')
  if (datagramStats(socket)) assertSums(statsOf(socket))
}

export function statsOf(socket: Socket): DatagramStats {
  const stats = datagramStats(socket)
  assert.ok(stats)
  return stats
}

/** Contract U21, once the socket is closed. */
export function assertSums({ received, accepted, dropped, flows }: DatagramStats): void {
  assert.equal(received, accepted + sum(dropped))
  assert.equal(flows.opened, flows.active + sum(flows.ended))
  assert.deepEqual([flows.active, flows.confirmed], [0, 0])
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}
