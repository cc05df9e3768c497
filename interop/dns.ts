// As much of DNS over TCP and UDP as peers that speak it need.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import dnsPacket from 'dns-packet'

/** The name that is asked for, and what it stands for. */
export const NAME = 'interop.test'
export const ADDRESS = '192.0.2.99'

const query: dnsPacket.Packet = {
  type: 'query',
  id: 7,
  flags: dnsPacket.RECURSION_DESIRED,
  questions: [{ type: 'A', name: NAME }],
}

export const QUERY: Buffer = dnsPacket.encode(query)

/** Asks on an open connection; resolves with the address answered, or with why there is none. */
export async function askTcp(socket: Socket): Promise<string> {
  socket.write(dnsPacket.streamEncode(query))
  return addressOf(dnsPacket.streamDecode(await message(socket)))
}

export async function askUdp(port: number): Promise<{ readonly answer: string; readonly source: string }> {
  const socket = createSocket('udp4')
  try {
    socket.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const { address, port: own } = socket.address()
    socket.send(QUERY)
    const [bytes] = (await once(socket, 'message', { signal: AbortSignal.timeout(10_000) })) as [Buffer]
    return { answer: addressIn(bytes), source: `${address} ${own}` }
  } finally {
    socket.close()
  }
}

/** Answers the queries of a connection, one at a time, to its end. */
export async function answerTcp(socket: Socket, onQuery: () => void): Promise<void> {
  for (;;) {
    const bytes = await message(socket).catch(() => undefined)
    if (bytes === undefined) return
    onQuery()
    socket.write(dnsPacket.streamEncode(responseTo(dnsPacket.streamDecode(bytes))))
  }
}

/** The answer to a query that came by UDP. */
export function answerTo(bytes: Buffer): Buffer {
  return dnsPacket.encode(responseTo(dnsPacket.decode(bytes)))
}

/** The address in an answer that came by UDP, or why there is none. */
export function addressIn(bytes: Buffer): string {
  return addressOf(dnsPacket.decode(bytes))
}

function responseTo({ id = 0, questions = [] }: dnsPacket.Packet): dnsPacket.Packet {
  return { type: 'response', id, questions, answers: [{ type: 'A', name: NAME, ttl: 0, data: ADDRESS }] }
}

/** A whole message, its length in front. */
async function message(socket: Socket): Promise<Buffer> {
  let bytes = Buffer.alloc(0)
  while (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0)) {
    const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer]
    bytes = Buffer.concat([bytes, chunk])
  }
  return bytes
}

function addressOf({ answers = [], flags = 0 }: dnsPacket.Packet): string {
  const [answer] = answers
  return answer?.type === 'A' ? answer.data : `no address, code ${flags & 0xf}`
}
