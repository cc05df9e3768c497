import type { Connection } from 'proxyprotocol/server'
import type { TlsFacts } from '../../figures/index.ts'

/** A closed socket has no facts. */
export function tlsFacts({ info, tls }: Pick<Connection, 'info' | 'tls'>): TlsFacts | undefined {
  const { ssl, tlvs } = info
  const version = ssl?.version ?? tls?.getProtocol() ?? undefined // null once it is closed
  const serverName = tlvs.authority ?? (typeof tls?.servername === 'string' ? tls.servername : undefined) // or false
  return version === undefined && serverName === undefined ? undefined : { version, serverName }
}
