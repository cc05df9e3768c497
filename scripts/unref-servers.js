// Lets a process end although its servers listen, or its UDP sockets are bound.

import dgram from 'node:dgram'
import { subscribe } from 'node:diagnostics_channel'

subscribe('tracing:net.server.listen:asyncEnd', message => {
  const { server } = /** @type {{ server: import('node:net').Server }} */ (message)
  server.unref()
})

/** @type {(...args: unknown[]) => dgram.Socket} */
const bind = Reflect.get(dgram.Socket.prototype, 'bind')
dgram.Socket.prototype.bind = /** @this {dgram.Socket} @param {unknown[]} args */ function (...args) {
  return bind.apply(this, args).unref()
}
