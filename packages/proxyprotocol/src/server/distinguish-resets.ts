// RST and FIN kept apart on an accepted TCP socket, both ways: a stream that was cut off must never look complete.

import type { Socket } from 'node:net'

/**
 * Makes `socket.destroy(error)` send RST, and a peer's RST be an error, where Node would send or see a FIN:
 *
 * - pipeline() destroys a socket when its source fails, before its promise rejects, and Node closes that with a FIN: the
 *   peer would take what it has got so far for the whole;
 * - Node before 24 takes an RST that comes together with data for a FIN (libuv ends the stream at POLLHUP), and a
 *   half-open socket would stay for ever. An empty write sends nothing, but tells.
 */
export function distinguishResets(socket: Socket): void {
  const destroy = socket._destroy.bind(socket)
  socket._destroy = (error, callback) => {
    if (error && !isRelease(error)) socket.resetAndDestroy() // it is being destroyed already: this only decides how
    if (isShuttingDown(socket)) setImmediate(destroy, error, callback)
    else destroy(error, callback)
  }
  socket.once('end', () => {
    if (socket.writable) socket.write('')
  })
}

/**
 * Whether an error is only Node's way to let go of a socket after `for await`, also when the loop came to the end of a
 * half-open one: an AbortError without a cause. Whoever aborts for a reason gives it as the cause.
 */
export function isRelease(error: Error): boolean {
  return 'code' in error && error.code === 'ABORT_ERR' && error.cause === undefined
}

/**
 * Whether a FIN is on its way to the kernel, which takes one turn of the event loop. libuv refuses to reset a socket
 * meanwhile (EINVAL), and Node then drops the handle without closing it: no 'close', the descriptor lost, a busy loop.
 */
function isShuttingDown({ writableEnded, writableFinished, writableLength }: Socket): boolean {
  return writableEnded && !writableFinished && writableLength === 0
}
