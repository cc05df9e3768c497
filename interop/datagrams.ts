// UDP: a DNS server that reads headers in front of its datagrams, and a client that announces another.

import assert from 'node:assert/strict'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { attachDatagrams, createDatagramSender, type DatagramOptions, datagramInfo } from 'proxyprotocol/udp'
import { answerTo, ADDRESS, addressIn, QUERY } from './dns.ts'
import type { Harness } from './harness.ts'
import type { Case } from './peer.ts'

const host = '127.0.0.1'
/** Milliseconds for an answer, and between two queries: a peer that is starting drops them. */
const PATIENCE = 10_000
const INTERVAL = 250

/** What the server has learnt of one query. */
export interface SeenDatagram {
  readonly source: string
  readonly destination: string
  readonly version: number | undefined
  readonly transport: string | undefined
  readonly authority: string | undefined
}

export interface DatagramServer {
  readonly port: number
  readonly seen: SeenDatagram[]
}

/** A DNS server behind attachDatagrams(). */
export async function startDatagramServer(
  harness: Harness,
  options: Partial<DatagramOptions> = {},
): Promise<DatagramServer> {
  const socket = attachDatagrams(createSocket('udp4'), { trust: [host], ...options })
  harness.atEnd(() => socket.close())
  const seen: SeenDatagram[] = []
  socket.on('message', (query, rinfo) => {
    seen.push(seenIn(rinfo))
    socket.send(answerTo(query), rinfo.port, rinfo.address)
  })
  socket.bind(0, host)
  await once(socket, 'listening')
  return { port: socket.address().port, seen }
}

function seenIn(rinfo: RemoteInfo): SeenDatagram {
  const { destination, header, tlvs } = datagramInfo(rinfo) ?? {}
  return {
    source: `${rinfo.address} ${rinfo.port}`,
    destination: destination ? `${destination.address} ${destination.port}` : '',
    version: header?.version,
    transport: header?.transport,
    authority: tlvs?.authority,
  }
}

/** A case for IPv4 and IPv6 clients that a sender of ours announces to a DNS server. */
export function datagramCase(
  name: string,
  port: number,
  check: (source: string) => void | Promise<void>,
): Case {
  return {
    direction: 'receives',
    name: `${name}, v2 by createDatagramSender`,
    run: async () => {
      for (const [source, destination] of [
        ['192.0.2.200', '198.51.100.7'],
        ['2001:db8::200', '2001:db8:ffff::7'],
      ] as const) {
        assert.equal(await askAs(port, { source, destination }), ADDRESS)
        await check(source)
      }
      return 'the client announced, IPv4 and IPv6'
    },
  }
}

interface Announced {
  readonly source: string
  readonly destination: string
}

async function askAs(port: number, { source, destination }: Announced): Promise<string> {
  const header = { source: { address: source, port: 5353 }, destination: { address: destination, port: 53 } }
  const socket = createSocket('udp4')
  const sender = createDatagramSender(socket)
  try {
    return await answerOf(socket, () => sender.send(QUERY, header, port, host))
  } finally {
    socket.close()
  }
}

/** Asks again until there is an answer. */
export async function answerOf(socket: Socket, ask: () => void): Promise<string> {
  const timer = setInterval(ask, INTERVAL)
  try {
    ask()
    const [bytes] = (await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE) })) as [Buffer]
    return addressIn(bytes)
  } finally {
    clearInterval(timer)
  }
}
