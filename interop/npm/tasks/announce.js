// Tells the parent process the port of each server that listens, and of each UDP socket that is bound.

import dgram from 'node:dgram'
import { subscribe } from 'node:diagnostics_channel'
import process from 'node:process'

subscribe('tracing:net.server.listen:asyncEnd', message => {
  const { server } = /** @type {{ server: import('node:net').Server }} */ (message)
  process.send?.(server.address())
})

const { bind } = dgram.Socket.prototype
dgram.Socket.prototype.bind = /** @this {dgram.Socket} @param {unknown[]} args */ function (...args) {
  this.once('listening', () => process.send?.(this.address()))
  return Reflect.apply(bind, this, args)
}
