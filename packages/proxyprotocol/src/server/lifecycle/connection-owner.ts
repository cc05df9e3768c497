// What a connection needs of its server.

import type { ProxyProtocolError } from '../../codec/index.ts'
import type { Peer } from '../../trust/index.ts'
import type { Connection } from './connection.ts'
import type { Watched } from './idle-watch.ts'

export interface ConnectionOwner {
  readonly halfCloseTimeout: number
  readonly abortTimeout: number
  setIdleTimeout(connection: Watched, timeout: number): void
  isDraining(): boolean
  transport(): Peer['transport']
  /** Called at most once for each connection, with what its handler threw. */
  report(error: unknown, connection: Connection): void
  stuck(error: ProxyProtocolError, connection: Connection): void
}
