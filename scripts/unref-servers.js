// Lets a process end although its servers listen, or its UDP sockets are bound.

import { subscribe } from 'node:diagnostics_channel'

subscribe('tracing:net.server.listen:asyncEnd', message => {
  const { server } = /** @type {{ server: import('node:net').Server }} */ (message)
  server.unref()
})

subscribe('udp.socket', message => {
  const { socket } = /** @type {{ socket: import('node:dgram').Socket }} */ (message)
  socket.unref()
})
