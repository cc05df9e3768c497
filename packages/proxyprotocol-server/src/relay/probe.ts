// Where neither a header nor TLS is due, a client that leaves before any byte of either side is a check. The upstream is
// connected all the same, because it may have to speak first.

import type { Connection } from 'proxyprotocol/server'
import type { RelayedConnection } from './stats/index.ts'

type Ended = Pick<RelayedConnection, 'bytesDown' | 'upstreamEnded'>

/** A reset has to be seen before the server counts it as the client's. */
export function watchForProbe(connection: Connection, relayed: Ended): void {
  if (connection.socket.bytesRead > 0) return
  connection.socket.prependListener('error', () => {
    noticeProbe(connection, relayed)
  })
}

export function noticeProbe(connection: Connection, { bytesDown, upstreamEnded }: Ended): void {
  if (connection.socket.bytesRead === 0 && bytesDown === 0 && !upstreamEnded) connection.abort('probe')
}
