// What a log says of a client's TLS that ended at the proxy in front: the word of the inbound header.

import type { ConnectionInfo } from 'proxyprotocol/server'

/** Of the client's TLS connection. */
export interface TlsFacts {
  /** `TLSv1.3`, say. */
  readonly version: string | undefined
  /** The name that the client asked for (SNI). */
  readonly serverName: string | undefined
}

/** Undefined where nothing is known. */
export function tlsFacts({ ssl, tlvs }: Pick<ConnectionInfo, 'ssl' | 'tlvs'>): TlsFacts | undefined {
  const facts = { version: ssl?.version, serverName: tlvs.authority }
  return facts.version === undefined && facts.serverName === undefined ? undefined : facts
}
