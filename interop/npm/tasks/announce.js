// Tells the parent process the port of each server that listens.

import { subscribe } from 'node:diagnostics_channel'
import process from 'node:process'

subscribe('tracing:net.server.listen:asyncEnd', message => {
  const { server } = /** @type {{ server: import('node:net').Server }} */ (message)
  process.send?.(server.address())
})
