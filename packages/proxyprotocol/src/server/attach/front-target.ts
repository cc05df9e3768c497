// The server behind a front: where it listens, and which client each of its connections stands for. A connection on
// loopback is known by the address and port that it comes from, which no other has while it lives.

import { once } from 'node:events'
import { createConnection, type Server, type Socket } from 'node:net'
import { inspect } from 'node:util'
import { type ErrorCode, type InetEndpoint, ProxyProtocolError } from '../../codec/index.ts'
import { DEFAULT_BACKLOG } from '../lifecycle/index.ts'
import { claim, connectionInfo, type ConnectionInfo, isLoopback, shareInfo } from '../socket/index.ts'
import { checkServer } from './node-server.ts'

/** Milliseconds: loopback answers at once, unless the target's backlog is full. */
const CONNECT_TIMEOUT = 5_000

/** Makes connections to a target, and tells the target for whom each of them is. */
export class FrontTarget {
  readonly #server: Server | undefined
  /** Undefined as long as its server does not listen. */
  #endpoint: InetEndpoint | undefined
  #opened = false
  readonly #clients = new Map<string, { readonly upstream: Socket; readonly info: ConnectionInfo }>()
  /** Connections that the server has accepted before we knew where ours come from, with the last connect by then. */
  readonly #unclaimed = new Map<Socket, { readonly from: string; readonly lastConnect: number }>()
  /** Connects are numbered. */
  #lastConnect = 0
  /** Those that are under way, oldest first. */
  readonly #connecting = new Set<number>()

  /** @throws TypeError for anything but a server of Node, or if other machines could connect to it. */
  constructor(target: Server | InetEndpoint) {
    if (isEndpoint(target)) {
      this.#endpoint = loopback(target)
      return
    }
    checkServer(target, 'target')
    this.#server = target
    claim(target)
    if (target.listening) this.#endpoint = loopback(target.address())
    const onSocket = (socket: Socket): void => this.#onSocket(socket)
    target.prependListener('connection', onSocket)
    target.prependListener('secureConnection', onSocket)
    target.prependListener('tlsClientError', (_error: Error, socket: Socket) => this.#onSocket(socket))
  }

  /** Makes a server listen that does not yet; true where this has. */
  async open(): Promise<boolean> {
    const server = this.#server
    if (server === undefined) return false
    if (!server.listening) {
      server.listen(0, '127.0.0.1', DEFAULT_BACKLOG) // what the front lets wait comes here as well
      this.#opened = true
      await once(server, 'listening')
    }
    this.#endpoint = loopback(server.address())
    return this.#opened
  }

  /** Closes the server where open() has made it listen. */
  async close(): Promise<void> {
    const server = this.#server
    if (server === undefined || !this.#opened) return
    this.#opened = false
    await new Promise(resolve => server.close(resolve))
  }

  /**
   * Connects for a client.
   *
   * @throws ProxyProtocolError with code `connect_refused`, `connect_timeout`, `connect_error`, or the signal's reason.
   */
  async connect(info: ConnectionInfo, signal: AbortSignal): Promise<Socket> {
    const { address: host, port } = this.#endpoint as InetEndpoint // the front listens after open()
    const upstream = createConnection({ host, port, allowHalfOpen: true, noDelay: true })
    const onAbort = (): void => void upstream.destroy(signal.reason as Error) // the connection's promise
    signal.addEventListener('abort', onAbort)
    const timer = setTimeout(() => {
      upstream.destroy(new ProxyProtocolError('connect_timeout', { detail: `${CONNECT_TIMEOUT} ms` }))
    }, CONNECT_TIMEOUT).unref()
    const number = ++this.#lastConnect
    this.#connecting.add(number)
    try {
      await once(upstream, 'connect')
      this.#claim(upstream, info)
      return upstream
    } catch (error) {
      throw faultOf(error as NodeJS.ErrnoException) // what the socket failed with
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      this.#connecting.delete(number)
      this.#refuseStrangers()
    }
  }

  /** The client of the connection that comes from an endpoint. */
  infoOf({ address, port }: InetEndpoint): ConnectionInfo | undefined {
    return this.#clientAt(`${address} ${port}`)
  }

  #clientAt(key: string): ConnectionInfo | undefined {
    const client = this.#clients.get(key)
    // The port is free for others from then on, a moment before 'close'.
    return client?.upstream.destroyed ? undefined : client?.info
  }

  #claim(upstream: Socket, info: ConnectionInfo): void {
    const key = `${upstream.localAddress} ${upstream.localPort}`
    this.#clients.set(key, { upstream, info })
    upstream.once('close', () => this.#clients.delete(key))
    const [socket] = [...this.#unclaimed].find(([, { from }]) => from === key) ?? []
    if (socket === undefined) return
    this.#unclaimed.delete(socket)
    shareInfo(socket, info)
  }

  /** The server has accepted a connection, most often before connect() hears that it stands. */
  #onSocket(socket: Socket): void {
    const known = connectionInfo(socket)
    if (known) return shareInfo(socket, known) // TLS over a socket that is known; Bun shows such a socket twice
    const key = `${socket.remoteAddress} ${socket.remotePort}`
    const info = this.#clientAt(key)
    shareInfo(socket, info) // until it is claimed it has no address, so that it never looks like a local client
    if (info) return
    this.#unclaimed.set(socket, { from: key, lastConnect: this.#lastConnect })
    socket.once('close', () => this.#unclaimed.delete(socket))
    this.#refuseStrangers()
  }

  /** Closes each socket that was accepted before all of the connects that are still under way: it did not come through the front. */
  #refuseStrangers(): void {
    const [oldest = Infinity] = this.#connecting
    const strangers = [...this.#unclaimed].filter(([, { lastConnect }]) => lastConnect < oldest)
    for (const [socket] of strangers) this.#unclaimed.delete(socket)
    // A tick later: the server's own listeners do not expect a socket that is gone.
    process.nextTick(() => {
      for (const [socket] of strangers) socket.destroy()
    })
  }
}

/** Not a server, nor anything that stands for one. */
function isEndpoint(target: Server | InetEndpoint): target is InetEndpoint {
  const { listen, emit } = Object(target) as Partial<Server> // without types it may be anything
  return typeof target !== 'function' && listen === undefined && emit === undefined
}

/** @throws TypeError unless it is a port on loopback. */
function loopback(where: ReturnType<Server['address']> | InetEndpoint): InetEndpoint {
  if (where !== null && typeof where === 'object') {
    const { address = '', port = 0 } = where as Partial<InetEndpoint> // without types it may be any object
    if (isLoopback(address) && Number.isInteger(port) && port > 0 && port < 65_536) return { address, port }
  }
  const got = inspect(where)
  throw new TypeError(
    `target must listen on a port of 127.0.0.1 or ::1, which only this machine reaches, got ${got}`,
  )
}

function faultOf(cause: NodeJS.ErrnoException): ProxyProtocolError {
  if (cause instanceof ProxyProtocolError) return cause
  const code: ErrorCode = cause.code === 'ECONNREFUSED' ? 'connect_refused' : 'connect_error'
  return new ProxyProtocolError(code, { detail: cause.message, cause })
}
