// PostgreSQL's request for TLS, which clients send in front of their ClientHello, and its answer.
// https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL

import type { Socket } from 'node:net'
import { ProxyProtocolError } from 'proxyprotocol'
import { peekByte } from 'proxyprotocol/server'

/** Its length, and the code 80877103. */
export const SSL_REQUEST: Uint8Array = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f)

export const TLS_FOLLOWS = 'S'

/** How much of the request is there; undefined if these bytes are something else. */
export function sslRequestBytes(bytes: Uint8Array): number | undefined {
  const length = Math.min(bytes.length, SSL_REQUEST.length)
  return SSL_REQUEST.subarray(0, length).every((byte, at) => bytes[at] === byte) ? length : undefined
}

/**
 * Takes the answer of an upstream to the request.
 *
 * @throws ProxyProtocolError `tls_upstream_error` if it does not speak TLS or sends no answer in time.
 */
export async function takeAnswer(
  upstream: Socket,
  { signal, timeout }: { readonly signal: AbortSignal; readonly timeout: number },
): Promise<void> {
  const onAbort = (): unknown => upstream.destroy()
  signal.addEventListener('abort', onAbort)
  const answer = await peekByte(upstream, { timeout })
  signal.removeEventListener('abort', onAbort)
  if (answer === TLS_FOLLOWS.charCodeAt(0)) return void upstream.read(1)
  const got = answer === undefined ? 'nothing' : JSON.stringify(String.fromCharCode(answer))
  throw new ProxyProtocolError('tls_upstream_error', {
    detail: `it must answer PostgreSQL's request for TLS with "S", got ${got}`,
  })
}
