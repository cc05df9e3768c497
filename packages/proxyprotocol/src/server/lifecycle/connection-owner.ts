// What a connection needs of its server.

import type { ProxyProtocolError } from '../../codec/index.ts'
import type { Peer } from '../socket/index.ts'
import type { Connection } from './connection.ts'

export interface ConnectionOwner {
  /** Milliseconds to wait for the peer's FIN after the handler's return. */
  readonly halfCloseTimeout: number
  /** Milliseconds that a handler may ignore that it was aborted. */
  readonly abortTimeout: number
  isDraining(): boolean
  transport(): Peer['transport']
  /** Called once at most for each connection, with what its handler threw. */
  report(error: unknown, connection: Connection): void
  stuck(error: ProxyProtocolError, connection: Connection): void
}
