// What a log says of a client's TLS: the word of the inbound header where TLS ended at the proxy in front, and what the
// socket itself knows where it ends here. What passes through speaks for itself (`Progress`).

import type { Connection } from 'proxyprotocol/server'

/** Of the client's TLS connection. */
export interface TlsFacts {
  /** `TLSv1.3`, say. */
  readonly version: string | undefined
  /** The name that the client asked for (SNI). */
  readonly serverName: string | undefined
}

/** Undefined where nothing is known. To be asked while the connection is open: its socket forgets. */
export function tlsFacts({ info, tls }: Pick<Connection, 'info' | 'tls'>): TlsFacts | undefined {
  const { ssl, tlvs } = info
  const version = ssl?.version ?? tls?.getProtocol() ?? undefined // null once it is closed
  const serverName = tlvs.authority ?? (typeof tls?.servername === 'string' ? tls.servername : undefined) // or false
  return version === undefined && serverName === undefined ? undefined : { version, serverName }
}
