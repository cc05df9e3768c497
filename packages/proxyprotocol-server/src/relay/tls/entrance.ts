import type { TLSSocket } from 'node:tls'
import { ProxyProtocolError } from 'proxyprotocol'
import { type Connection, startTls } from 'proxyprotocol/server'
import type { Fallback, Route, RouteSettings, Service } from '../../config/index.ts'
import { type ClientHello, peekClientHello, RouteTable, sendUnrecognizedName } from '../passthrough/index.ts'
import type { RelayedConnection } from '../stats/index.ts'
import type { RelayTls } from './relay-tls.ts'

type EntranceSettings = RouteSettings & Pick<Service, 'passthrough' | 'tls'>

/** As for a handshake. */
const HELLO_TIMEOUT = 10_000

/** Chooses the upstreams for a client by its TLS, and ends its TLS if the ClientHello decides about that. */
export class Entrance {
  readonly #service: EntranceSettings
  readonly #tls: RelayTls
  /** Routes before the handshake, and after it. */
  readonly #passing: RouteTable<Route>
  readonly #ended: RouteTable<Route>
  /** True if all clients go to the upstreams of the service. */
  readonly isOpen: boolean

  constructor(service: EntranceSettings, tls: RelayTls) {
    const { passthrough, tls: { routes } = { routes: [] } } = service
    this.#service = service
    this.#tls = tls
    this.#passing = new RouteTable(passthrough?.routes ?? routes.filter(route => route.passthrough))
    this.#ended = new RouteTable(routes.filter(route => !route.passthrough))
    this.isOpen = passthrough === undefined && routes.length === 0 && !tls.looksFirst
  }

  /**
   * @throws ProxyProtocolError as `peekClientHello` and `startTls` do, and `tls_client_error` for a server name that is
   * refused.
   */
  async enter(connection: Connection, relayed: RelayedConnection): Promise<RouteSettings> {
    const { passthrough } = this.#service
    if (passthrough === undefined) return this.#end(connection, relayed)
    // A check by the proxy in front may send nothing.
    if (connection.info.header?.command === 'LOCAL') return ownRoute(this.#service)
    const { timeout, fallback, unknownNames } = passthrough
    const opening = await peek(connection, { timeout, silence: fallback?.timeout })
    if (opening.hello === undefined) return fallback as Fallback // peek() has refused it otherwise
    relayed.hello = opening.hello
    relayed.sslRequest = opening.sslRequest
    const route = this.#passing.find(opening.hello)
    if (route === undefined && unknownNames === 'reject') await this.#refuse(connection, opening.hello)
    return route ?? this.#service
  }

  async #end(connection: Connection, relayed: RelayedConnection): Promise<RouteSettings> {
    const passing = this.#tls.looksFirst ? await this.#look(connection, relayed) : undefined
    if (passing) return passing
    const { servername, alpnProtocol } = connection.tls as TLSSocket // only services with TLS have such routes
    const serverName = typeof servername === 'string' ? servername.toLowerCase() : undefined // or false
    const alpn = alpnProtocol ? [Buffer.from(alpnProtocol)] : []
    return this.#ended.find({ serverName, alpn }) ?? this.#service
  }

  /** Resolves with the route for TLS that passes through, otherwise makes the handshake. */
  async #look(connection: Connection, relayed: RelayedConnection): Promise<Route | undefined> {
    const opening = await peek(connection, { timeout: HELLO_TIMEOUT, silence: undefined })
    const hello = opening.hello as ClientHello // peek() has refused it otherwise
    relayed.hello = hello
    const route = this.#passing.find(hello)
    if (route) {
      relayed.sslRequest = opening.sslRequest
      return route
    }
    const options = this.#tls.optionsFor(hello.serverName)
    if (options === undefined) return this.#refuse(connection, hello)
    await startTls(connection, options)
    relayed.secured(connection)
    this.#tls.checkClient(connection.tls)
    return undefined
  }

  /** @throws ProxyProtocolError `tls_client_error`, always. */
  async #refuse({ socket, signal }: Connection, { serverName }: ClientHello): Promise<never> {
    await sendUnrecognizedName(socket, { signal, timeout: this.#service.timeouts.halfClose })
    const detail =
      serverName === undefined
        ? 'the client sent no server name'
        : `no certificate and no route is for ${JSON.stringify(serverName)}`
    throw new ProxyProtocolError('tls_client_error', { detail })
  }
}

/** @throws ProxyProtocolError `probe` if only clients with a route are served. */
function ownRoute(service: RouteSettings): RouteSettings {
  if (service.pool.upstreams.length === 0) throw new ProxyProtocolError('probe')
  return service
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
