// Lets a process end although its servers listen.

import { subscribe } from 'node:diagnostics_channel'

subscribe('tracing:net.server.listen:asyncEnd', message => {
  const { server } = /** @type {{ server: import('node:net').Server }} */ (message)
  server.unref()
})
