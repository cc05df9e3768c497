// What a log says of a client's TLS that does not end here: the word of the inbound header, and of the client itself.

import type { ConnectionInfo } from 'proxyprotocol/server'
import type { ClientHello } from './passthrough/index.ts'

/** Of the client's TLS connection. */
export interface TlsFacts {
  /** `TLSv1.3`, say. */
  readonly version: string | undefined
  /** The name that the client asked for (SNI). */
  readonly serverName: string | undefined
}

/** Undefined where nothing is known. */
export function tlsFacts(
  { ssl, tlvs }: Pick<ConnectionInfo, 'ssl' | 'tlvs'>,
  hello?: ClientHello,
): TlsFacts | undefined {
  const facts = { version: ssl?.version, serverName: hello?.serverName ?? tlvs.authority }
  return facts.version === undefined && facts.serverName === undefined ? undefined : facts
}
