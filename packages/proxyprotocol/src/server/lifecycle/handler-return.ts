// Warns of handlers that leave listeners behind and return: their connection ends.

import type { Connection, Handler } from './connection.ts'

const WHAT_TO_DO =
  'Await the life of the connection in the handler, for example with pipeline() or for await. Or keep the socket with ' +
  'connection.detach(), or use attach() with a server of Node, whose listeners are callbacks.'

/** Listeners for data that are left when the handler returns in the same tick were never called. */
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

/** Explains a write after the end that followed the handler's return. */
export function explained(error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ERR_STREAM_WRITE_AFTER_END') return error
  return new Error(
    `the handler of this connection has returned, so writing to it is too late. ${WHAT_TO_DO}`,
    {
      cause: error,
    },
  )
}

/** Without `'readable'`: buffered data can be read in the same tick. */
function isLeftListening({ socket }: Connection): boolean {
  if (socket.writableEnded) return false
  return socket.listenerCount('data') > 0
}
