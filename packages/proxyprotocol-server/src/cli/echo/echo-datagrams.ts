// Logs the header of each datagram and sends back what follows it.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { attachDatagrams, type DatagramInfo, datagramInfo, type DatagramOptions } from 'proxyprotocol/udp'
import type { UdpAddress, UdpMode } from '../../config/index.ts'
import { showAddress, showEndpoint } from '../../log/index.ts'
import { log, type ProgramIo, serveUntilSignal } from '../program.ts'

/** Milliseconds: longer than nginx remembers a client by default. */
const FIRST_TIMEOUT = 15 * 60_000

export async function serveDatagrams({ host, port, pp = 'v2' }: UdpAddress, io: ProgramIo): Promise<void> {
  const socket = attachDatagrams(createSocket(host?.includes(':') ? 'udp6' : 'udp4'), optionsFor(pp))
  socket.on('message', (payload, peer) => {
    const { via, source, destination } = datagramInfo(peer) as DatagramInfo // the socket is attached
    log(io, 'datagram', [
      ['peer', showEndpoint(via.peer)],
      ['source', showEndpoint(source)],
      ['destination', showEndpoint(destination)],
      ['bytes', payload.length],
    ])
    socket.send(payload, peer.port, peer.address)
  })
  const served = {
    connections: { size: 0 },
    close: () => {
      socket.close()
      return Promise.resolve({ drained: 0, forced: 0, stuck: [] })
    },
  }
  await serveUntilSignal(io, [served], async () => {
    socket.bind(port, host)
    await once(socket, 'listening')
    log(io, 'listening', [
      ['address', showAddress(socket.address())],
      ['expects', pp],
      ['trust', 'anyone'],
    ])
  })
}

function optionsFor(pp: UdpMode): DatagramOptions {
  // Attached also without headers, because a reply to source port 0 would throw.
  if (pp === 'noop') return { trust: [], untrusted: 'direct' }
  return { trust: 'anyone', framing: pp, timeouts: pp === 'unsafe-first' ? { flow: FIRST_TIMEOUT } : {} }
}
