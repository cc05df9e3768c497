// Reads the header in front of an existing server.

import { Server as HttpServer } from 'node:http'
import type { ServerHttp2Session } from 'node:http2'
import { Socket, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { ProxyProtocolError } from '../../codec/index.ts'
import { acceptAs } from '../../node-internals/index.ts'
import {
  Admission,
  admissionNames,
  admissionSettings,
  limitNames,
  type Refusals,
} from '../admission/index.ts'
import {
  acceptedChannel,
  closedChannel,
  missingChannel,
  openedChannel,
  rejectedChannel,
} from '../lifecycle/index.ts'
import { checkNames, checkObject } from '../../checks/index.ts'
import {
  acceptedSocket,
  adoptInfo,
  applyHeader,
  connectionInfo,
  claim,
  type ConnectionInfo,
  isClaimed,
  isUnix,
  knownInfo,
  shareInfo,
  wrapInfo,
} from '../socket/index.ts'
import type { AttachOptions } from './attach-options.ts'
import { refuseOnBun } from './bun.ts'
import { type HeldEvent, heldEvent } from './header-inside-tls.ts'
import { checkServer, isHttp2 } from './node-server.ts'
import { type Method, unattached } from './unattached.ts'

/** They end pending connections as well; only http servers have the last two. */
const ENDINGS = ['close', 'closeIdleConnections', 'closeAllConnections']

/**
 * Makes a server of Node (net, tls, http, https, http2) read the header of each connection before anything else.
 * `socket.remoteAddress` is then the client's, and `connectionInfo()` has the rest. For a framework, pass the server
 * inside it.
 *
 * @returns the same server.
 * @throws TypeError or RangeError naming what is wrong. Error if the server is attached already, and on Bun for
 * HTTP/1 and TLS, which need `front()`.
 *
 * @example
 * ```ts run
 * import http from 'node:http'
 * import { attach } from 'proxyprotocol/server'
 *
 * const server = http.createServer((request, response) => {
 *   response.end(`you are ${String(request.socket.remoteAddress)}\n`)
 * })
 * attach(server, { trust: ['127.0.0.1', '10.0.0.0/8'] })
 * ```
 */
export function attach<S extends Server>(server: S, options: AttachOptions): S {
  new Attachment(server, options).install()
  return server
}

const attached = new WeakMap<Server, Attachment>()

export function attachmentOf(server: Server): Attachment | undefined {
  return attached.get(server)
}

export class Attachment {
  readonly #server: Server
  readonly #emit: () => Method
  readonly #admission: Admission
  readonly #refusals: Refusals
  readonly #held: HeldEvent
  #admitted: Duplex | undefined

  constructor(server: Server, options: AttachOptions) {
    checkServer(server, 'server')
    refuseOnBun(server)
    checkObject(options, 'options')
    if (isClaimed(server)) throw new Error('attach() was called on this server before')
    const { timeouts = {}, limits = {} } = options
    checkNames(options, [...admissionNames, 'timeouts', 'limits', 'headerInsideTls'])
    checkNames(timeouts, ['header'], 'timeouts')
    checkNames(limits, limitNames, 'limits')
    const settings = admissionSettings(options, limits, timeouts)
    this.#held = heldEvent(server, options.headerInsideTls)
    this.#refusals = settings.refusals
    const { pauseOnConnect } = server as { pauseOnConnect?: boolean } // set by net.createServer()
    // HTTP/1 takes bytes that were put back nearly as fast. Node's HTTP/2 throws if its session is destroyed at once.
    const isExact = pauseOnConnect === true || isHttp2(server)
    const ahead = server instanceof HttpServer ? 'all' : isExact ? 'none' : 'some'
    this.#admission = new Admission(settings, ahead)
    this.#server = server
    this.#emit = unattached(server, 'emit')
  }

  install(): void {
    attached.set(this.#server, this)
    claim(this.#server)
    this.#makeSockets()
    this.#server.emit = (event: string, ...args: unknown[]): boolean => this.#intercept(event, args)
    const methods = this.#server as unknown as Record<string, Method | undefined>
    for (const name of ENDINGS) {
      if (methods[name] === undefined) continue
      const method = unattached(this.#server, name)
      methods[name] = (...args) => {
        for (const socket of this.#admission.pending) socket.destroy()
        return method().apply(this.#server, args)
      }
    }
  }

  #intercept(event: string, args: unknown[]): boolean {
    const [first, second] = args
    if (event === this.#held && this.#isNew(first as Socket)) {
      this.#receive(first as Socket)
      return true
    }
    if (event === 'listening') this.#makeSockets()
    if (event === 'secureConnection') adoptInfo(first as TLSSocket)
    if (event === 'session') this.#adoptSession(first as ServerHttp2Session)
    if (event === 'connect' || event === 'upgrade') release(second as Duplex | undefined)
    if (event !== 'tlsClientError') return this.#pass(event, ...args)
    adoptInfo(second as TLSSocket)
    const heard = this.#pass(event, ...args)
    ;(second as TLSSocket).destroy() // a bare tls.Server leaves the socket of a failed handshake open
    return heard
  }

  #makeSockets(): void {
    if (this.#held === 'secureConnection') return
    acceptAs(this.#server, settings => acceptedSocket(settings, this.#admission.firstRoom))
  }

  /** TLS over an admitted stream counts as that stream. */
  #isNew(socket: Socket): boolean {
    return socket !== this.#admitted && (this.#held === 'connection' || connectionInfo(socket) === undefined)
  }

  #pass(...args: unknown[]): boolean {
    return this.#emit().apply(this.#server, args) as boolean // it is an emit()
  }

  #receive(socket: Socket): void {
    applyHeader(socket, undefined)
    if (acceptedChannel.hasSubscribers) acceptedChannel.publish(this.#message(socket))
    this.#admission.admit({
      socket,
      transport: isUnix(socket) ? 'unix' : 'tcp',
      waited: 0,
      onFault: () => undefined, // it is also the cause of the error
      onMissing: () => {
        if (missingChannel.hasSubscribers) missingChannel.publish(this.#message(socket))
      },
      onAdmitted: () => this.#admit(socket),
      onRefused: error => {
        socket.destroy()
        this.#tellRefusal(socket, error)
      },
    })
  }

  #admit(socket: Socket): void {
    this.#tellOpened(socket)
    const { pauseOnConnect } = this.#server as { pauseOnConnect?: boolean } // set by net.createServer()
    if (pauseOnConnect) socket.pause() // reading the header has resumed it
    try {
      this.#handOn(socket, this.#held)
    } catch (error) {
      // So that a listener's exception is uncaught, as it would be without attach().
      process.nextTick(() => {
        throw error
      })
    }
  }

  take(stream: Duplex, info: ConnectionInfo): void {
    shareInfo(stream, info)
    if (acceptedChannel.hasSubscribers) acceptedChannel.publish(this.#message(stream))
    this.#tellOpened(stream)
    this.#handOn(stream, 'connection')
  }

  has(stream: Duplex): boolean {
    return (
      (stream as Owned)[ownerKey] === this || (this.#admission.pending as ReadonlySet<Duplex>).has(stream)
    )
  }

  #handOn(stream: Duplex, event: HeldEvent): void {
    ;(stream as Owned)[ownerKey] = this
    this.#admitted = stream
    try {
      this.#pass(event, stream)
    } finally {
      this.#admitted = undefined
    }
  }

  /** HTTP/2 wraps a stream that is not a socket. */
  #adoptSession(session: ServerHttp2Session): void {
    const stream = this.#admitted
    if (stream && !(stream instanceof Socket)) wrapInfo(session.socket, knownInfo(stream))
  }

  #tellRefusal(socket: Socket, error: ProxyProtocolError): void {
    if (error.code === 'probe') return // a check
    if (error.code === 'aborted' && error.cause === undefined) return // the program's own close()
    const { hasSubscribers } = rejectedChannel
    if (hasSubscribers) rejectedChannel.publish({ ...this.#message(socket), error })
    this.#refusals.report(error, knownInfo(socket), hasSubscribers)
  }

  #tellOpened(socket: Duplex): void {
    if (openedChannel.hasSubscribers) openedChannel.publish(this.#message(socket))
    if (!closedChannel.hasSubscribers) return
    socket.once('close', (failed?: boolean) => {
      const reason = failed ? 'client_reset' : 'done'
      closedChannel.publish({ ...this.#message(socket), reason, served: true })
    })
  }

  #message(socket: Duplex): { server: Server; connection: undefined; info: ConnectionInfo } {
    return { server: this.#server, connection: undefined, info: knownInfo(socket) }
  }
}

const ownerKey = Symbol('proxyprotocol.attachment')
type Owned = Duplex & { [ownerKey]?: Attachment | undefined }

/** Afterwards node:http ignores the stream. */
function release(stream: Owned | undefined): void {
  if (stream?.[ownerKey]) stream[ownerKey] = undefined
}
