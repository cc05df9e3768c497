// The header for all requests of a callback, for libraries that pass no request options on.

import { AsyncLocalStorage } from 'node:async_hooks'
import { quote } from '../../checks/index.ts'
import { encodeHeader, type HeaderInit } from '../../codec/index.ts'

const headers = new AsyncLocalStorage<HeaderInit>()

/**
 * Runs a callback and returns its result. Its requests, also after an `await`, use this header if they go
 * through a `HeaderAgent` or `HeaderHttpsAgent` and have no `header`.
 *
 * @throws TypeError or RangeError for a wrong header or callback.
 * @example
 * ```ts run
 * import http from 'node:http'
 * import { HeaderAgent, headerFor, withHeader } from 'proxyprotocol/client'
 *
 * const agent = new HeaderAgent()
 * const gateway = http.createServer((request, response) => {
 *   withHeader(headerFor(request.socket), () => {
 *     http.get({ agent, port: 10007 }, answer => answer.pipe(response)).on('error', () => response.destroy())
 *   })
 * })
 * ```
 */
export function withHeader<T>(header: HeaderInit, callback: () => T): T {
  if (typeof callback !== 'function') {
    throw new TypeError(`callback must be a function, got ${quote(callback)}`)
  }
  encodeHeader(header) // throws here, where the fault is
  return headers.run(structuredClone(header), callback) // the object may change during requests
}

export function currentHeader(): HeaderInit | undefined {
  return headers.getStore()
}
