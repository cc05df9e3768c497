// Logs the header of each datagram and sends back what follows it.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { attachDatagrams, datagramInfo } from 'proxyprotocol/udp'
import type { UdpAddress } from '../../config/index.ts'
import { showAddress, showEndpoint } from '../../log/index.ts'
import { log, type ProgramIo, serveUntilSignal } from '../program.ts'

export async function serveDatagrams({ host, port, pp = 'v2' }: UdpAddress, io: ProgramIo): Promise<void> {
  const plain = createSocket(host?.includes(':') ? 'udp6' : 'udp4')
  const socket = pp === 'noop' ? plain : attachDatagrams(plain, { trust: 'anyone', framing: pp })
  socket.on('message', (payload, peer) => {
    const info = datagramInfo(peer)
    log(io, 'datagram', [
      ['peer', showEndpoint(info?.via.peer ?? peer)],
      ['source', showEndpoint(info?.source ?? peer)],
      ['destination', showEndpoint(info?.destination)],
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
