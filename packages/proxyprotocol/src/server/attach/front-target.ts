// The server behind a front. A loopback connection is known by its address and port, which are unique while it lives.

import { once } from 'node:events'
import { createConnection, type Server, type Socket } from 'node:net'
import { inspect } from 'node:util'
import { type ErrorCode, type InetEndpoint, ProxyProtocolError } from '../../codec/index.ts'
import { DEFAULT_BACKLOG } from '../lifecycle/index.ts'
import { isLoopback } from '../../trust/index.ts'
import { claim, connectionInfo, type ConnectionInfo, shareInfo } from '../socket/index.ts'
import { checkServer } from './node-server.ts'

/** Loopback answers at once, unless the backlog is full. */
const CONNECT_TIMEOUT = 5_000

export class FrontTarget {
  readonly #server: Server | undefined
  #endpoint: InetEndpoint | undefined
  #opened = false
  readonly #clients = new Map<string, { readonly upstream: Socket; readonly info: ConnectionInfo }>()
  /** Accepted before we knew the local port of ours, with the number of the last connect by then. */
  readonly #unclaimed = new Map<Socket, { readonly from: string; readonly lastConnect: number }>()
  #lastConnect = 0
  readonly #connecting = new Set<number>()

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

  async open(): Promise<boolean> {
    const server = this.#server
    if (server === undefined) return false
    if (!server.listening) {
      server.listen(0, '127.0.0.1', DEFAULT_BACKLOG) // the front's clients wait here as well
      this.#opened = true
      await once(server, 'listening')
    }
    this.#endpoint = loopback(server.address())
    return this.#opened
  }

  async close(): Promise<void> {
    const server = this.#server
    if (server === undefined || !this.#opened) return
    this.#opened = false
    await new Promise(resolve => server.close(resolve))
  }

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

  infoOf({ address, port }: InetEndpoint): ConnectionInfo | undefined {
    return this.#clientAt(`${address} ${port}`)
  }

  #clientAt(key: string): ConnectionInfo | undefined {
    const client = this.#clients.get(key)
    // The port may be reused from then on, a moment before 'close'.
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

  #onSocket(socket: Socket): void {
    const known = connectionInfo(socket)
    if (known) return shareInfo(socket, known) // TLS over a known socket; Bun shows such a socket twice
    const key = `${socket.remoteAddress} ${socket.remotePort}`
    const info = this.#clientAt(key)
    shareInfo(socket, info) // no address until it is claimed, so that it never looks like a local client
    if (info) return
    this.#unclaimed.set(socket, { from: key, lastConnect: this.#lastConnect })
    socket.once('close', () => this.#unclaimed.delete(socket))
    this.#refuseStrangers()
  }

  /** A socket that was accepted before every pending connect did not come through the front. */
  #refuseStrangers(): void {
    const [oldest = Infinity] = this.#connecting
    const strangers = [...this.#unclaimed].filter(([, { lastConnect }]) => lastConnect < oldest)
    for (const [socket] of strangers) this.#unclaimed.delete(socket)
    // A tick later: the server's own listeners expect an open socket.
    process.nextTick(() => {
      for (const [socket] of strangers) socket.destroy()
    })
  }
}

function isEndpoint(target: Server | InetEndpoint): target is InetEndpoint {
  const { listen, emit } = Object(target) as Partial<Server> // without types it may be anything
  return typeof target !== 'function' && listen === undefined && emit === undefined
}

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
