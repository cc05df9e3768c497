// A process that is sent sockets: it tells how many bytes each client has sent.

import type { Socket } from 'node:net'

process.on('message', ({ id }: { id: number }, socket: Socket) => {
  let bytes = 0
  socket.on('error', () => {}).on('data', (chunk: Buffer) => (bytes += chunk.length))
  socket.on('close', () => process.send?.({ id, bytes }))
})
