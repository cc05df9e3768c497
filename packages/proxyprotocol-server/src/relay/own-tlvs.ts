// The operator's own TLVs: fixed values, or facts of a connection.

import type { Tlv } from 'proxyprotocol'
import type { Connection } from 'proxyprotocol/server'
import type { OwnTlv, Service, TlvFact } from '../config/index.ts'
import type { ClientHello } from './passthrough/index.ts'

interface Known extends Pick<Connection, 'info' | 'tls'> {
  readonly hello: ClientHello | undefined
  readonly service: Pick<Service, 'name'>
}

/** The proxy in front stood nearer to the client, so its TLVs win. */
const FACTS: Readonly<Record<TlvFact, (known: Known) => string | Uint8Array | false | null | undefined>> = {
  sni: ({ info, hello, tls }) => info.tlvs.authority ?? hello?.serverName ?? tls?.servername,
  alpn: ({ info, hello, tls }) => info.tlvs.alpn ?? onlyOne(hello?.alpn) ?? tls?.alpnProtocol,
  peer: ({ info: { via } }) => (via.peer && 'address' in via.peer ? via.peer.address : undefined),
  service: ({ service }) => service.name,
}

export function ownTlvs(configured: readonly OwnTlv[], known: Known): readonly Tlv[] {
  return configured.flatMap(own => {
    const value = 'value' in own ? own.value : FACTS[own.fact](known)
    return value ? [{ type: own.type, value: Buffer.from(value) }] : []
  })
}

/** If a client offers several protocols, the upstream picks one later. */
function onlyOne([first, ...others]: readonly Uint8Array[] = []): Uint8Array | undefined {
  return others.length === 0 ? first : undefined
}
