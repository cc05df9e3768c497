// A tls.Server that never listens makes the handshakes, on sockets whose header has been read.

import type { Socket } from 'node:net'
import {
  createServer,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls'
import { ProxyProtocolError } from '../../codec/index.ts'
import { rawOf } from '../../node-internals/index.ts'

const settleKey: unique symbol = Symbol('proxyprotocol.settle')

interface Shaking extends Socket {
  [settleKey]?: Settle | undefined
}

interface Settle {
  isSilent(): boolean
  resolve(secure: TLSSocket): void
  reject(error: ProxyProtocolError): void
}

/** Node's code for a slow handshake; that client is not a probe. */
const TIMEOUT = 'ERR_TLS_HANDSHAKE_TIMEOUT'

export class TlsAcceptor {
  readonly #server: Server

  constructor(options: TlsOptions, handshakeTimeout: number) {
    this.#server = serverOf({ ...options, handshakeTimeout })
    this.#server.on('secureConnection', secure => {
      secure.allowHalfOpen = true
      // Node and pipeline(secure, secure) use up the limit of listeners; ours must not exceed it.
      const most = secure.getMaxListeners()
      if (most > 0) secure.setMaxListeners(most + 1) // 0 means unlimited
      take(secure)?.resolve(secure)
    })
    this.#server.on('tlsClientError', (cause: NodeJS.ErrnoException, secure) => {
      const settle = take(secure)
      if (cause.code !== TIMEOUT && settle?.isSilent()) return settle.reject(new ProxyProtocolError('probe'))
      const detail = whyFailed(cause, secure)
      settle?.reject(new ProxyProtocolError('tls_client_error', { detail, cause }))
    })
  }

  setSecureContext(options: SecureContextOptions): void {
    this.#server.setSecureContext(options)
  }

  /** `probe` if the raw socket closes without a byte of the client's. */
  handshake(raw: Shaking): Promise<TLSSocket> {
    const isSilent = silence(raw)
    return new Promise((resolve, reject) => {
      const onClose = (): void => {
        // The TLS socket closes later, and may know why.
        setImmediate(() => {
          raw[settleKey] = undefined
          const detail = 'the connection closed during the handshake'
          reject(new ProxyProtocolError('tls_client_error', { detail }))
        })
      }
      if (raw.destroyed) return reject(new ProxyProtocolError('aborted')) // since the verdict
      raw.once('close', onClose)
      raw.allowHalfOpen = false // after a FIN the client cannot finish, but Node would wait for the deadline
      raw[settleKey] = {
        isSilent,
        resolve: secure => {
          raw.off('close', onClose)
          resolve(secure)
        },
        reject,
      }
      this.#server.emit('connection', raw)
    })
  }
}

function take(secure: TLSSocket): Settle | undefined {
  const raw: Shaking = rawOf(secure)
  const settle = raw[settleKey]
  raw[settleKey] = undefined
  return settle
}

/** OpenSSL reports a number, not an option. */
function serverOf(options: TlsOptions): Server {
  try {
    return createServer(options)
  } catch (cause) {
    const names = Object.keys(options).filter(name => name !== 'handshakeTimeout')
    const { message } = cause as Error // Node throws nothing else
    throw new TypeError(
      `tls must be options that tls.createServer() takes, got ${names.join(', ')}: ${message}`,
      {
        cause,
      },
    )
  }
}

function silence(raw: Socket): () => boolean {
  const { bytesRead, readableLength } = raw
  return () => readableLength === 0 && raw.bytesRead === bytesRead
}

/** A refused certificate leaves its reason in the socket; the error only reports the end. */
function whyFailed(cause: Error, secure: TLSSocket): string {
  const { authorizationError } = secure as unknown as { authorizationError?: string | null } // its type is wrong
  const { reason } = cause as { reason?: string } // OpenSSL's, without the line of its source
  return authorizationError ?? reason ?? cause.message
}
