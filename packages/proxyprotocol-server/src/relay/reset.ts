// Ends a TCP socket so that the other end sees a cut stream, at whatever point its own end is.

import type { Socket } from 'node:net'

/**
 * Sends RST. While a FIN is on its way to the kernel, which takes one turn of the event loop, libuv refuses (EINVAL), and
 * Node would lose the descriptor without closing it: then RST follows the FIN.
 */
export function reset(socket: Socket): void {
  const { writableEnded, writableFinished, writableLength } = socket
  if (writableEnded && !writableFinished && writableLength === 0) {
    socket.once('finish', () => socket.resetAndDestroy())
  } else {
    socket.resetAndDestroy()
  }
}
