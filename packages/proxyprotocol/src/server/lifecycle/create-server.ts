// Makes the server whose handler is awaited.

import type { Handler } from './connection.ts'
import { warnOfEarlyReturn } from './handler-return.ts'
import { ProxyServer } from './proxy-server.ts'
import { checkArguments, type ServerOptions } from './server-options.ts'

/**
 * Makes a server that reads the header of each connection and awaits `handler`. When the handler returns, the
 * connection ends gracefully. When it throws, the connection is reset and `onError` is called once. A connection
 * without a valid header never reaches it.
 *
 * @throws TypeError or RangeError naming the wrong option.
 * @example
 * ```ts run
 * import { pipeline } from 'node:stream/promises'
 * import { createServer } from 'proxyprotocol/server'
 *
 * const server = createServer({ trust: ['127.0.0.1'] }, async ({ socket, signal }) => {
 *   await pipeline(socket, socket, { signal }) // echo
 * })
 * await server.listen(0, '127.0.0.1')
 * await server.close()
 * ```
 */
export function createServer(options: ServerOptions, handler: Handler): ProxyServer {
  checkArguments(options, handler)
  return new ProxyServer(options, warnOfEarlyReturn(handler))
}
