// Handlers in the style of callbacks: they leave listeners behind and return, and their connection ends under them.

import type { Connection, Handler } from './connection.ts'

const WHAT_TO_DO =
  'Await the life of the connection in the handler, for example with pipeline() or for await. Or keep the socket with ' +
  'connection.detach(), or use attach() with a server of Node, whose listeners are callbacks.'

/**
 * The handler, with one warning if it returns at once and leaves listeners for data. Before a tick has passed they cannot
 * have been called, so the handler has not served its connection.
 */
export function warnOfEarlyReturn(handler: Handler): Handler {
  let warned = false
  const check = (connection: Connection): void => {
    if (warned || connection.state !== 'closing' || connection.reason !== undefined) return
    warned = true
    const message = `a handler of createServer() has returned, so its connection ends, but its socket has listeners for data. ${WHAT_TO_DO}`
    process.emitWarning(message, { type: 'ProxyProtocolWarning', code: 'handler_returned' })
  }
  return connection => {
    const returned = handler(connection)
    if (!warned && isLeftListening(connection)) process.nextTick(check, connection)
    return returned
  }
}

/** An error that says why: a write after the end that the server has put there when the handler returned. */
export function explained(error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ERR_STREAM_WRITE_AFTER_END') return error
  return new Error(
    `the handler of this connection has returned, so writing to it is too late. ${WHAT_TO_DO}`,
    {
      cause: error,
    },
  )
}

/** True if callbacks are to do what is left. `'readable'` is not asked for: what is buffered can be read without a tick. */
function isLeftListening({ socket }: Connection): boolean {
  if (socket.writableEnded) return false
  return socket.listenerCount('data') > 0
}
