// TLS behind the header: a tls.Server that never listens makes the handshakes, on sockets whose header has been read.

import type { Socket } from 'node:net'
import {
  createServer,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls'
import { ProxyProtocolError } from '../codec/index.ts'
import { rawOf } from './reset.ts'

interface Settle {
  resolve(secure: TLSSocket): void
  reject(error: ProxyProtocolError): void
}

export class TlsAcceptor {
  readonly #server: Server
  readonly #waiting = new Map<Socket, Settle>()

  /** @throws what `tls.createServer` throws for options that are wrong. */
  constructor(options: TlsOptions, handshakeTimeout: number) {
    this.#server = createServer({ ...options, handshakeTimeout })
    this.#server.on('secureConnection', secure => {
      this.#take(secure)?.resolve(secure)
    })
    this.#server.on('tlsClientError', (cause, secure) => {
      // A certificate that was refused leaves its reason there, and no error but the end of the connection.
      const { authorizationError } = secure as unknown as { authorizationError?: string | null } // its type is wrong
      const detail = authorizationError ?? cause.message
      this.#take(secure)?.reject(new ProxyProtocolError('tls_client_error', { detail, cause }))
    })
  }

  setSecureContext(options: SecureContextOptions): void {
    this.#server.setSecureContext(options)
  }

  /**
   * The secured socket; the raw one stays underneath.
   *
   * @throws ProxyProtocolError `tls_client_error`, also when the raw socket closes before.
   */
  handshake(raw: Socket): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const onClose = (): void => {
        this.#waiting.delete(raw)
        reject(
          new ProxyProtocolError('tls_client_error', {
            detail: 'the connection closed during the handshake',
          }),
        )
      }
      if (raw.destroyed) return onClose() // in this very moment
      raw.once('close', onClose)
      this.#waiting.set(raw, {
        resolve: secure => {
          raw.off('close', onClose)
          resolve(secure)
        },
        reject,
      })
      this.#server.emit('connection', raw)
    })
  }

  #take(secure: TLSSocket): Settle | undefined {
    const raw = rawOf(secure)
    const settle = this.#waiting.get(raw)
    this.#waiting.delete(raw)
    return settle
  }
}
