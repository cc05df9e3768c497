// Serves what needs no socket: TCP without TLS on both sides, and without an inbound header.

import { channel } from 'node:diagnostics_channel'
import { encodeHeader, type HeaderInit, type ProxyProtocolError } from 'proxyprotocol'
import { diagnosticsChannels } from 'proxyprotocol/client'
import type { AcceptedHandle, HandlePlane, HandleServer } from 'proxyprotocol/internal/node'
import type { CloseReason, ConnectionInfo } from 'proxyprotocol/server'
import type { Service, UpstreamSettings } from '../../config/index.ts'
import { askBlockLists, type BlockListCheck } from '../block-list-check.ts'
import { ClientGoneSignal } from '../client-gone-signal.ts'
import { ownTlvs } from '../own-tlvs.ts'
import {
  type Outcome,
  type RelayedConnection,
  recordOf,
  type RelayRecord,
  type RelayStats,
} from '../stats/index.ts'
import {
  HandleConnection,
  type HandleService,
  handlesWork,
  type PairTimes,
  type TcpHandle,
} from '../tunnel/index.ts'
import { upstreamHeader } from '../upstream-header.ts'
import type { UpstreamPools } from '../upstream-pools.ts'

export interface HandleRelayContext {
  readonly service: Service
  readonly blockLists: BlockListCheck | undefined
  readonly pools: UpstreamPools
  readonly stats: RelayStats
  readonly onClosed?: ((record: RelayRecord) => void) | undefined
}

/** Its messages name a socket's options. */
const largeHeaders = channel(diagnosticsChannels.largeHeader)

type Plain = HandleConnection<RelayedConnection>

export class HandleRelay implements HandlePlane<Plain, ConnectionInfo>, HandleService<RelayedConnection> {
  readonly times: PairTimes
  readonly #context: HandleRelayContext
  readonly #isPlain: boolean

  constructor(context: HandleRelayContext) {
    this.#context = context
    this.times = context.service.timeouts
    this.#isPlain = isPlain(context.service)
  }

  /** True if connections need no socket. */
  get isReady(): boolean {
    return this.#isPlain && handlesWork() && !largeHeaders.hasSubscribers
  }

  accept(handle: AcceptedHandle, info: ConnectionInfo, server: HandleServer<Plain>): Plain {
    return new HandleConnection({ handle: handle as TcpHandle, info, server, service: this }) // it listens on TCP
  }

  opened(connection: Plain): RelayedConnection {
    const relayed = this.#context.stats.open(connection)
    void this.#connect(connection, relayed)
    return relayed
  }

  closed(connection: Plain, relayed: RelayedConnection, error: ProxyProtocolError | undefined): void {
    const { age } = connection
    this.#context.stats.close(relayed, age)
    this.#context.onClosed?.(recordOf(connection, relayed, { age, outcome: outcomeOf(error) }))
  }

  /** It never rejects. */
  async #connect(connection: Plain, relayed: RelayedConnection): Promise<void> {
    try {
      const { service, blockLists, pools } = this.#context
      if (blockLists) await askBlockLists(blockLists, connection, relayed)
      let head: Uint8Array | undefined
      await pools.of(service.pool).dial({
        source: connection.info.source,
        timeout: service.timeouts.connect,
        signal: new ClientGoneSignal(connection, connection),
        route: relayed.route,
        owner: connection,
        dial: ({ settings, ...target }) => {
          const header = this.#header(connection, relayed, settings)
          head = header && encodeHeader(header)
          return connection.dial(target)
        },
      })
      relayed.connected()
      connection.begin(head)
    } catch (error) {
      connection.fail(error)
    }
  }

  #header(
    connection: Plain,
    relayed: RelayedConnection,
    { header }: UpstreamSettings,
  ): HeaderInit | undefined {
    const { service } = this.#context
    const { info, tls } = connection
    relayed.sent = header
    const tlvs = ownTlvs(service.tlvs, { info, tls, hello: undefined, service })
    return upstreamHeader(
      { header, pass: service.pass, tlvs, configured: service.tlvs },
      { id: connection.id, info },
      { listing: relayed.listing },
    )
  }
}

/** A fault of the relay itself goes to `onError`. */
function outcomeOf(error: ProxyProtocolError | undefined): Outcome {
  if (error === undefined) return { reason: 'done', error }
  const reason = error.code as CloseReason // connections end with no other
  return { reason, error: reason === 'handler_error' ? undefined : error }
}

function isPlain({ accepts, listen, passthrough, overLimit, pool }: Service): boolean {
  if (accepts !== undefined || passthrough !== undefined || overLimit === 'pause') return false
  return [listen, ...pool.upstreams.map(({ address }) => address)].every(
    ({ transport, tls }) => transport === 'tcp' && tls === undefined,
  )
}
