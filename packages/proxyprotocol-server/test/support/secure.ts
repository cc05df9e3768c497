// TLS on the outer ends: clients of the relay, and upstreams that read a header before the handshake. The raw socket of each
// stays in the test's hands, to be cut.

import { EventEmitter, once } from 'node:events'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { connect, createServer, type ConnectionOptions, type TLSSocket, type TlsOptions } from 'node:tls'
import type { ProxyHeader } from 'proxyprotocol'
import { readHeader } from 'proxyprotocol/server'
import { certificate } from 'test-support/certificates'
import { dial, listen } from './connections.ts'
import { atEnd } from './teardown.ts'

/** A TLS socket and the one under it. */
export interface Secure {
  readonly secure: TLSSocket
  readonly raw: Socket
}

/** A half-open TLS client. */
export function dialSecure(t: TestContext, port: number, options: ConnectionOptions = {}): Secure {
  const raw = dial(t, port)
  const secure = connect({ ca: certificate.cert, servername: 'localhost', ...options, socket: raw })
  atEnd(t, () => secure.destroy())
  return { secure: watched(secure, raw), raw }
}

export interface SecureListener {
  readonly port: number
  /** The next connection whose handshake is done, with the header that came before it. */
  accept(): Promise<Secure & { readonly header: ProxyHeader | undefined }>
  /** Why the next handshake failed. */
  failure(): Promise<Error>
}

/** A TLS server behind a header, or with `header: false` without one. */
export async function listenSecure(
  t: TestContext,
  options: TlsOptions = {},
  { header: expected = true } = {},
): Promise<SecureListener> {
  const listener = await listen(t)
  const news = new EventEmitter()
  const server = createServer({ ...certificate, ...options })
  server.on('secureConnection', secure => {
    secure.allowHalfOpen = true
    news.emit('secure', secure)
  })
  server.on('tlsClientError', (error, secure) => {
    secure.destroy()
    news.emit('failure', error)
  })
  async function next(): Promise<{ raw: Socket; header: ProxyHeader | undefined }> {
    const raw = await listener.accept()
    const result = expected ? await readHeader(raw, { timeout: 5_000 }) : undefined
    if (result) raw.unshift(result.rest)
    return { raw, header: result?.header }
  }
  return {
    port: listener.port,
    accept: async () => {
      const { raw, header } = await next()
      const ready = once(news, 'secure') as Promise<[TLSSocket]>
      server.emit('connection', raw)
      const [secure] = await ready
      atEnd(t, () => secure.destroy())
      return { secure: watched(secure, raw), raw, header }
    },
    failure: async () => {
      const { raw } = await next()
      const failed = once(news, 'failure') as Promise<[Error]>
      server.emit('connection', raw)
      const [error] = await failed
      return error
    },
  }
}

/**
 * Node before 24 takes an RST that comes together with data for an end; an empty write sends nothing, but tells. Where writes of
 * TLS are waiting they tell as well, and an empty one behind them would damage what follows.
 */
function watched(secure: TLSSocket, raw: Socket): TLSSocket {
  const { _handle: handle } = raw as { _handle?: { readonly writeQueueSize: number } }
  secure.once('end', () => {
    if (secure.writable && handle?.writeQueueSize === 0) raw.write('')
  })
  return secure.on('error', () => {})
}
