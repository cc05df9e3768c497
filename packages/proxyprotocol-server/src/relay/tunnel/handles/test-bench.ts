// A server on handles and its upstream on sockets, both on loopback.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { ProxyProtocolError } from 'proxyprotocol'
import { acceptAs, type AcceptedHandle } from 'proxyprotocol/internal/node'
import type { ConnectionInfo } from 'proxyprotocol/server'
import type { Traffic } from '../direction.ts'
import { HandleConnection } from './handle-connection.ts'
import type { TcpHandle } from './node-tcp.ts'

const LOOPBACK = { host: '127.0.0.1', port: 0, exclusive: true }
const TIMES = { halfClose: 1_000, keepAlive: 1_000 }

export class TestBench {
  readonly signal: AbortSignal
  /** Why the last connection has ended. */
  ended: Promise<ProxyProtocolError | undefined> = Promise.resolve(undefined)
  readonly #front = createServer()
  readonly #back = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  readonly #sockets: Socket[] = []
  #connection: HandleConnection<Traffic> | undefined

  constructor(signal: AbortSignal) {
    this.signal = signal
  }

  /** True while the relay waits for the upstream to read. */
  get isPending(): boolean {
    return this.#connection?.isPending === true
  }

  async listen(): Promise<void> {
    for (const server of [this.#front, this.#back]) {
      server.listen(LOOPBACK)
      await once(server, 'listening', { signal: this.signal })
    }
    assert(acceptAs(this.#front, ignore as never, handle => this.#take(handle))) // it makes no socket
  }

  /** The outer ends of a new connection. */
  async open(): Promise<readonly [client: Socket, upstream: Socket]> {
    const client = connect({ host: LOOPBACK.host, port: portOf(this.#front), allowHalfOpen: true })
    this.#sockets.push(client.on('error', ignore))
    const [upstream] = (await once(this.#back, 'connection', { signal: this.signal })) as [Socket]
    this.#sockets.push(upstream.on('error', ignore))
    return [client, upstream]
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    for (const server of [this.#front, this.#back]) server.close()
    this.#connection?.abort()
  }

  #take(handle: AcceptedHandle): true {
    const port = portOf(this.#back)
    this.ended = new Promise((resolve, reject) => {
      const server = { isDraining: Boolean, setIdleTimeout: ignore, closed: ignore, report: reject }
      const service = {
        times: TIMES,
        opened: (connection: HandleConnection<Traffic>) => {
          const target = { address: LOOPBACK.host, port, source: undefined, timeout: TIMES.halfClose }
          connection.dial(target).then(() => connection.begin(undefined), reject)
          return { bytesUp: 0, bytesDown: 0 }
        },
        closed: (_connection: unknown, _traffic: Traffic, error: ProxyProtocolError | undefined) => {
          resolve(error)
        },
      }
      const info = {} as ConnectionInfo // nothing asks for it
      this.#connection = new HandleConnection({ handle: handle as TcpHandle, info, server, service }) // of TCP
      this.#connection.open()
    })
    return true
  }
}

function portOf(server: ReturnType<typeof createServer>): number {
  return (server.address() as AddressInfo).port // it listens on TCP
}

function ignore(): undefined {
  return undefined
}
