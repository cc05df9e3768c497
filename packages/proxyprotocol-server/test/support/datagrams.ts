// A relay of datagrams for one test, between real sockets, and what must hold of it at the end.

import assert from 'node:assert/strict'
import dgram, { type RemoteInfo } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import type { TestContext } from 'node:test'
import { parseService, type ServiceOptions, type UpstreamText } from '../../src/config/index.ts'
import type { DatagramFigures } from '../../src/figures/index.ts'
import { DatagramRelay, type DatagramRelayOptions, type FlowRecord } from '../../src/relay/index.ts'
import { atEnd } from './teardown.ts'

/** A UDP socket on loopback whose datagrams wait until they are taken. */
export interface Peer {
  readonly socket: dgram.Socket
  readonly port: number
  /** Those that nobody has taken yet. */
  readonly waiting: (readonly [Buffer, RemoteInfo])[]
  /** The next datagram. */
  take(): Promise<readonly [Buffer, RemoteInfo]>
  /** Its bytes as text. */
  text(): Promise<string>
  send(bytes: Uint8Array | string, port: number): Promise<void>
  readonly close: () => Promise<void>
}

export async function peer(t: TestContext, address = '127.0.0.1', port = 0): Promise<Peer> {
  const socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4')
  const waiting: (readonly [Buffer, RemoteInfo])[] = []
  const news = new EventEmitter()
  socket.on('message', (bytes, from) => {
    waiting.push([bytes, from])
    news.emit('datagram')
  })
  socket.bind(port, address)
  await once(socket, 'listening')
  let isOpen = true
  const close = (): Promise<void> => {
    if (!isOpen) return Promise.resolve()
    isOpen = false
    return new Promise(resolve => void socket.close(resolve))
  }
  atEnd(t, close)
  const take = async (): Promise<readonly [Buffer, RemoteInfo]> => {
    for (;;) {
      const first = waiting.shift()
      if (first) return first
      await once(news, 'datagram')
    }
  }
  return {
    socket,
    port: socket.address().port,
    waiting,
    take,
    close,
    text: async () => String((await take())[0]),
    send: (bytes, to) =>
      new Promise((resolve, reject) => {
        socket.send(bytes, to, address, error => {
          if (error) reject(error)
          else resolve()
        })
      }),
  }
}

/** Answers each datagram with what `answer` makes of it. */
export async function answering(
  t: TestContext,
  answer: (bytes: Buffer) => Uint8Array | string = bytes => bytes,
): Promise<Peer> {
  const upstream = await peer(t)
  upstream.socket.on('message', (bytes, { port, address }) => {
    upstream.socket.send(answer(bytes), port, address)
  })
  return upstream
}

export interface TestDatagrams {
  readonly relay: DatagramRelay
  readonly port: number
  readonly records: readonly FlowRecord[]
  figures(): DatagramFigures
  /** The record of the n-th flow to end. */
  record(n?: number): Promise<FlowRecord>
}

interface Options extends ServiceOptions, DatagramRelayOptions {
  readonly listen?: string | undefined
}

/** At the end each flow must have been reported, and the counters must add up (contract U21). */
export async function startDatagrams(
  t: TestContext,
  upstream: string | readonly UpstreamText[],
  { listen = 'udp://127.0.0.1:0', now, resolver, onUpstream, onError = unexpected, ...options }: Options = {},
): Promise<TestDatagrams> {
  const records: FlowRecord[] = []
  const news = new EventEmitter()
  const relay = new DatagramRelay(parseService(listen, upstream, options), {
    ...{ now, resolver, onUpstream, onError },
    onEnded: record => {
      records.push(record)
      news.emit('record')
    },
  })
  atEnd(t, async () => {
    await relay.server.abort()
    assertBalanced(relay.datagrams())
    assert.equal(relay.server.connections.size, 0)
    assert.equal(records.length, relay.datagrams().flows.opened, 'each flow is reported once')
    assert.ok(
      relay.upstreams().upstreams.every(({ active }) => active === 0),
      'an upstream has no flow left',
    )
  })
  const { port } = await relay.listen()
  return {
    relay,
    port,
    records,
    figures: () => relay.datagrams(),
    record: async (n = 0) => {
      for (;;) {
        const record = records[n]
        if (record) return record
        await once(news, 'record')
      }
    },
  }
}

/** Contract U21. */
export function assertBalanced({ received, accepted, dropped, flows }: DatagramFigures): void {
  assert.equal(received, accepted + sum(dropped), 'received = accepted + all of dropped')
  assert.equal(flows.opened, flows.active + sum(flows.ended), 'opened = active + all of ended')
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

function unexpected(error: unknown): void {
  assert.fail(`onError was called with ${String(error)}`)
}
