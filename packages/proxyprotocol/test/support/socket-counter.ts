// A process that is sent sockets, and what was read of them before: it tells how many bytes each client has sent in all.

import type { Socket } from 'node:net'

process.on('message', ({ id, head }: { id: number; head: string }, socket: Socket) => {
  let bytes = Buffer.from(head, 'base64').length
  socket.on('error', () => {}).on('data', (chunk: Buffer) => (bytes += chunk.length))
  // Where only the FIN was left, Node may have closed the socket before it tells of the message.
  if (socket.destroyed) process.send?.({ id, bytes })
  else socket.on('close', () => process.send?.({ id, bytes }))
})
