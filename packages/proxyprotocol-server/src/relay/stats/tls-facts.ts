// The facts come from the inbound header if TLS ended at the proxy in front, otherwise from the socket.

import type { Connection } from 'proxyprotocol/server'
import type { TlsFacts } from '../../figures/index.ts'

/** A closed socket has no facts, so this is called while it is open. */
export function tlsFacts({ info, tls }: Pick<Connection, 'info' | 'tls'>): TlsFacts | undefined {
  const { ssl, tlvs } = info
  const version = ssl?.version ?? tls?.getProtocol() ?? undefined // null once it is closed
  const serverName = tlvs.authority ?? (typeof tls?.servername === 'string' ? tls.servername : undefined) // or false
  return version === undefined && serverName === undefined ? undefined : { version, serverName }
}
