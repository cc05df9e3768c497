// Puts the header in front of a server that you have. It stays your server: each connection is held back until its
// header is read, then handed on with the client's addresses on its socket, and limits, timeouts and close() are its own.

import type { Server, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { ProxyProtocolError } from '../codec/index.ts'
import { refuseOnBun } from './bun.ts'
import { adoptInfo, applyHeader, type ConnectionInfo } from './connection-info.ts'
import { attachRejectedChannel, type AttachRejectedMessage } from './diagnostics.ts'
import { admissionSettings, headerTimeout, type AdmissionOptions, type AdmissionSettings } from './options.ts'
import { receiveHeader } from './receive-header.ts'

/** Far more than a load balancer opens at once, and a bound to what silent connections can hold. */
const DEFAULT_PENDING_HEADERS = 1_024
/** What ends the connections that wait as well; http servers alone have the last two. */
const ENDINGS = ['close', 'closeIdleConnections', 'closeAllConnections']

/** How a server that is attached to receives headers. */
export interface AttachOptions extends AdmissionOptions {
  readonly timeouts?:
    | {
        /** Milliseconds from accept to the last byte of the header. Default 5000. */
        readonly header?: number | undefined
      }
    | undefined
  readonly limits?:
    | {
        /** Connections that may wait for their headers at a time; further ones are turned away. Default 1024. */
        readonly pendingHeaders?: number | undefined
      }
    | undefined
}

/**
 * Makes a server read the header of each connection before anything else sees it, the TLS handshake included. Takes
 * every server of Node (net, tls, http, https and http2, with TLS or without), listening or not yet; frameworks on top
 * of them need not know. `socket.remoteAddress` is the client's from then on, and `connectionInfo()` tells the rest.
 *
 * @returns the same server.
 * @throws TypeError or RangeError naming the option that is wrong; Error when the server was attached to before, and on
 * Bun for servers with HTTP/1 or TLS, which need `front()`.
 *
 * @example
 * ```ts
 * import http from 'node:http'
 * import { attach } from 'proxyprotocol/server'
 *
 * const server = http.createServer((request, response) => {
 *   response.end(`you are ${String(request.socket.remoteAddress)}\n`)
 * })
 * attach(server, { trust: ['10.0.0.0/8'] })
 * ```
 */
export function attach<S extends Server>(server: S, options: AttachOptions): S {
  new Attachment(server, options).install()
  return server
}

const attached = new WeakSet<Server>()

class Attachment {
  readonly #server: Server
  readonly #emit: (event: string, ...args: unknown[]) => boolean
  readonly #settings: AdmissionSettings
  readonly #maxPending: number
  readonly #pending = new Set<Socket>()
  /** The connection that is being handed on just now. */
  #admitted: Socket | undefined

  constructor(server: Server, { timeouts, limits, ...options }: AttachOptions) {
    refuseOnBun(server)
    if (attached.has(server)) throw new Error('attach() was called on this server before')
    this.#settings = admissionSettings(options, headerTimeout(timeouts?.header))
    this.#maxPending = pendingHeaders(limits?.pendingHeaders)
    this.#server = server
    this.#emit = server.emit.bind(server)
  }

  install(): void {
    attached.add(this.#server)
    this.#server.emit = (event: string, ...args: unknown[]): boolean => this.#intercept(event, args)
    const methods = this.#server as unknown as Record<string, ((...args: unknown[]) => unknown) | undefined>
    for (const name of ENDINGS) {
      const method = methods[name]
      if (method === undefined) continue
      methods[name] = (...args) => {
        for (const socket of this.#pending) socket.destroy()
        return method.apply(this.#server, args)
      }
    }
  }

  #intercept(event: string, args: unknown[]): boolean {
    const [first, second] = args
    if (event === 'connection' && first !== this.#admitted) {
      void this.#receive(first as Socket) // it never rejects
      return true
    }
    if (event === 'secureConnection') adoptInfo(first as TLSSocket)
    if (event !== 'tlsClientError') return this.#emit(event, ...args)
    adoptInfo(second as TLSSocket)
    const heard = this.#emit(event, ...args)
    ;(second as TLSSocket).destroy() // a bare tls.Server leaves the socket of a failed handshake open
    return heard
  }

  async #receive(socket: Socket): Promise<void> {
    const info = applyHeader(socket, undefined)
    try {
      if (this.#pending.size >= this.#maxPending) {
        throw new ProxyProtocolError('limit_connections', { detail: 'limits.pendingHeaders are waiting' })
      }
      this.#pending.add(socket)
      applyHeader(socket, await receiveHeader(socket, this.#transportOf(socket), this.#settings))
    } catch (error) {
      this.#refuse(socket, info, error)
      return
    } finally {
      this.#pending.delete(socket)
    }
    const { pauseOnConnect } = this.#server as { pauseOnConnect?: boolean } // set by net.createServer()
    if (pauseOnConnect) socket.pause() // reading the header has set it going
    this.#admitted = socket
    this.#emit('connection', socket)
    this.#admitted = undefined
  }

  #refuse(socket: Socket, info: ConnectionInfo, cause: unknown): void {
    socket.destroy()
    const detail = 'the trust predicate threw' // which has not said yes
    const error =
      cause instanceof ProxyProtocolError
        ? cause
        : new ProxyProtocolError('untrusted_peer', { detail, cause })
    if (error.code === 'probe' || !attachRejectedChannel.hasSubscribers) return
    attachRejectedChannel.publish({ server: this.#server, info, error } satisfies AttachRejectedMessage)
  }

  /** Peers without an address are gone, or on a UNIX socket. */
  #transportOf({ remoteAddress }: Socket): 'tcp' | 'unix' {
    return remoteAddress === undefined && typeof this.#server.address() === 'string' ? 'unix' : 'tcp'
  }
}

function pendingHeaders(limit: number = DEFAULT_PENDING_HEADERS): number {
  if (Number.isInteger(limit) && limit > 0) return limit
  throw new RangeError(`limits.pendingHeaders must be a positive integer, got ${String(limit)}`)
}
