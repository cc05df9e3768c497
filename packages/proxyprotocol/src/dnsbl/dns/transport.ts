// Carries a query and its replies over UDP or TCP.

import { BADRESP } from 'node:dns'
import { createSocket } from 'node:dgram'
import type { RemoteInfo } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import type { NameServer } from './name-server.ts'
import { MAX_REPLY_BYTES, readReply, STRAY } from './reply.ts'
import type { Reply } from './reply.ts'

/** RFC 1035 section 4.2.2. */
const LENGTH_BYTES = 2

/** Its opener closes it once. */
export interface Transport {
  repeat(): void
  close(): void
}

/** The system picks a random port. */
export function overUdp(
  { address, port }: NameServer,
  query: Uint8Array,
  onReply: (reply: Reply) => void,
): Transport {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  const expected = `${plain(address)} ${port}`
  let repeat = (): void => undefined
  const onMessage = (bytes: Uint8Array, from: RemoteInfo): void => {
    // Deno (2.9) also delivers datagrams of other peers.
    onReply(`${plain(from.address)} ${from.port}` === expected ? readReply(bytes, query) : STRAY)
  }
  socket.on('message', onMessage)
  socket.on('error', error => onReply(failed(error)))
  socket.once('connect', () => {
    repeat = () => socket.send(query)
    repeat()
  })
  // A connected socket also learns that the port is closed.
  socket.connect(port, address)
  return { repeat: () => repeat(), close: () => socket.off('message', onMessage).close() }
}

export function overTcp(
  { address, port }: NameServer,
  query: Uint8Array,
  onReply: (reply: Reply) => void,
): Transport {
  const held = Buffer.alloc(LENGTH_BYTES + MAX_REPLY_BYTES)
  let length = 0
  const socket = connect(port, address)
  socket.write(Buffer.from([query.length >> 8, query.length & 0xff, ...query]))
  socket.on('data', chunk => {
    length += chunk.copy(held, length)
    const end = LENGTH_BYTES + held.readUInt16BE(0)
    if (length < LENGTH_BYTES) return
    if (end > held.length) onReply({ status: 'failure', code: BADRESP })
    else if (length >= end) onReply(readReply(held.subarray(LENGTH_BYTES, end), query))
  })
  socket.on('error', error => onReply(failed(error)))
  socket.on('close', () => onReply({ status: 'failure', code: BADRESP }))
  return { repeat: () => undefined, close: () => socket.destroy() }
}

function failed(error: NodeJS.ErrnoException): Reply {
  return { status: 'failure', code: String(error.code) }
}

/** Without its scope, spelt as in a URL. */
function plain(address: string): string {
  return isIPv6(address) ? new URL(`http://[${address.replace(/%.*/, '')}]`).hostname : address
}
