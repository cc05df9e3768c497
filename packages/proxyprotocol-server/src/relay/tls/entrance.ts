import { ProxyProtocolError } from 'proxyprotocol'
import type { Connection } from 'proxyprotocol/server'
import type { Fallback, Pool, Route, Service } from '../../config/index.ts'
import { type ClientHello, peekClientHello, RouteTable, sendUnrecognizedName } from '../passthrough/index.ts'
import type { RelayedConnection } from '../stats/index.ts'

type EntranceSettings = Pick<Service, 'pool' | 'passthrough' | 'timeouts'>

/** Chooses the upstreams for a client by what it sends first. */
export class Entrance {
  readonly #service: EntranceSettings
  readonly #routes: RouteTable<Route>

  constructor(service: EntranceSettings) {
    this.#service = service
    this.#routes = new RouteTable(service.passthrough?.routes ?? [])
  }

  /** True if all clients go to the upstreams of the service. */
  get isOpen(): boolean {
    return this.#service.passthrough === undefined
  }

  /** @throws ProxyProtocolError as `peekClientHello` does, and `tls_client_error` for a server name that is refused. */
  async enter(connection: Connection, relayed: RelayedConnection): Promise<Pool> {
    const { pool, passthrough } = this.#service
    // A check by the proxy in front may send nothing.
    if (passthrough === undefined || connection.info.header?.command === 'LOCAL') return ownPool(pool)
    const { timeout, fallback, unknownNames } = passthrough
    const opening = await peek(connection, { timeout, silence: fallback?.timeout })
    const { hello } = opening
    if (hello === undefined) return (fallback as Fallback).pool // peek() has refused it otherwise
    relayed.hello = hello
    relayed.sslRequest = opening.sslRequest
    const route = this.#routes.find(hello)
    if (route) return route.pool
    if (unknownNames === 'reject') await this.#refuse(connection, hello)
    return pool
  }

  /** @throws ProxyProtocolError `tls_client_error`, always. */
  async #refuse({ socket, signal }: Connection, { serverName }: ClientHello): Promise<never> {
    await sendUnrecognizedName(socket, { signal, timeout: this.#service.timeouts.halfClose })
    const detail =
      serverName === undefined
        ? 'the client sent no server name'
        : `no route is for ${JSON.stringify(serverName)}`
    throw new ProxyProtocolError('tls_client_error', { detail })
  }
}

/** @throws ProxyProtocolError `probe` if only clients with a route are served. */
function ownPool(pool: Pool): Pool {
  if (pool.upstreams.length === 0) throw new ProxyProtocolError('probe')
  return pool
}

async function peek(
  connection: Connection,
  options: { readonly timeout: number; readonly silence: number | undefined },
): ReturnType<typeof peekClientHello> {
  const { socket, signal } = connection
  const { bytesRead, readableLength } = socket
  // Many checks end by a reset, which the server's own listener would count as the client's.
  const onReset = (): void => {
    if (readableLength === 0 && socket.bytesRead === bytesRead) connection.abort('probe')
  }
  socket.prependListener('error', onReset)
  try {
    return await peekClientHello(socket, { ...options, signal })
  } finally {
    socket.off('error', onReset)
  }
}
