// A name server of one table: it answers A queries over UDP, or fails in the way the table says.

import { createSocket } from 'node:dgram'
import type { RemoteInfo, Socket } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import { isIPv6 } from 'node:net'

/** The addresses of a name (none of them: NODATA), or what goes wrong when it is asked. */
export type Reply = readonly string[] | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | 'SILENCE'

/** A running server; a name that its table does not hold does not exist (NXDOMAIN). */
export interface DnsServer {
  /** What `servers` and `Resolver#setServers` take. */
  readonly address: string
  /** The names asked so far, in order, a repeated datagram each time. */
  readonly asked: readonly string[]
  /** Resolves once `count` queries have come in. */
  queries(count: number): Promise<void>
  close(): Promise<void>
}

const HEADER_LENGTH = 12
const RESPONSE_CODES = { NXDOMAIN: 3, SERVFAIL: 2, REFUSED: 5 }
/** QR, RD and RA: a response to a recursive query from a server that recurses (RFC 1035 section 4.1.1). */
const RESPONSE_FLAGS = 0x8180

export async function startDnsServer(
  table: Readonly<Record<string, Reply>>,
  host = '127.0.0.1',
): Promise<DnsServer> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  const asked: string[] = []
  const news = new EventEmitter()
  socket.on('message', (query: Buffer, from: RemoteInfo) => {
    const { name, end } = readName(query)
    asked.push(name)
    const reply = table[name] ?? 'NXDOMAIN'
    if (reply !== 'SILENCE') socket.send(encodeResponse(query, end, reply), from.port, from.address)
    news.emit('query')
  })
  socket.bind(0, host)
  await once(socket, 'listening')
  return {
    address: `${isIPv6(host) ? `[${host}]` : host}:${socket.address().port}`,
    asked,
    queries: async count => {
      while (asked.length < count) await once(news, 'query')
    },
    close: () => closed(socket),
  }
}

async function closed(socket: Socket): Promise<void> {
  socket.close()
  await once(socket, 'close')
}

/** Reads the one question's name; a query holds no compression pointer. */
function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = []
  let at = HEADER_LENGTH
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 }
}

function encodeResponse(query: Buffer, nameEnd: number, reply: Exclude<Reply, 'SILENCE'>): Buffer {
  const addresses = typeof reply === 'string' ? [] : reply
  const code = typeof reply === 'string' ? RESPONSE_CODES[reply] : 0
  const header = Buffer.alloc(HEADER_LENGTH)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(RESPONSE_FLAGS | code, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(addresses.length, 6)
  const question = query.subarray(HEADER_LENGTH, nameEnd + 4)
  return Buffer.concat([header, question, ...addresses.map(encodeRecord)])
}

/** An A record: a pointer to the question's name, type A, class IN, TTL 0, four octets. */
function encodeRecord(address: string): Buffer {
  return Buffer.from([0xc0, HEADER_LENGTH, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)])
}
