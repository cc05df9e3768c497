// A Redis server as far as a client needs one: it answers PING with the address of its client.

import type { Socket } from 'node:net'

export function serveRedis(socket: Socket): void {
  socket.on('error', () => undefined)
  socket.on('data', chunk => {
    for (const [command] of String(chunk).matchAll(/(?<=\r\n)(?:ping|quit|client|info|hello)(?=\r\n)/gi)) {
      socket.write(command.toLowerCase() === 'ping' ? `+${String(socket.remoteAddress)}\r\n` : '+OK\r\n')
    }
  })
}
