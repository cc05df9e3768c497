// Neither key exchange group nor signature scheme: a server of Node does not know them
// (getEphemeralKeyInfo(), getSharedSigalgs()).

import type { Socket } from 'node:net'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import { quote } from '../../checks/index.ts'
import { ProxyProtocolError, type SslInit, tlv, type Tlv } from '../../codec/index.ts'
import { keyName, signatureName } from './certificate-names.ts'

/**
 * Facts of a TLS connection: ALPN protocol, SNI name, cipher. Common name or all of the client's certificate;
 * algorithms of the server's.
 */
export type TlsFact = 'alpn' | 'authority' | 'cipher' | 'cn' | 'sigAlg' | 'keyAlg' | 'clientCert'

const known: readonly TlsFact[] = ['alpn', 'authority', 'cipher', 'cn', 'sigAlg', 'keyAlg', 'clientCert']
/** A certificate takes 1 to 2 KiB, more than most receivers take. */
const usual = known.filter(fact => fact !== 'clientCert')

export function tlsTlvs(socket: Socket, facts: boolean | readonly TlsFact[]): readonly Tlv[] {
  const wanted = new Set(factsOf(facts))
  if (facts === false || !isSecure(socket)) return []
  const version = socket.getProtocol()
  if (version === null)
    throw new ProxyProtocolError('client_reset', { detail: 'it is gone, and so is its TLS' })
  const { alpnProtocol, servername } = socket
  const tlvs = [tlv.ssl(sslOf(socket, version, wanted))]
  if (wanted.has('authority') && servername) tlvs.unshift(tlv.authority(servername))
  if (wanted.has('alpn') && alpnProtocol) tlvs.unshift(tlv.alpn(alpnProtocol))
  return tlvs
}

function factsOf(facts: unknown): readonly TlsFact[] {
  if (typeof facts === 'boolean') return usual
  if (isListOfFacts(facts)) return facts
  throw new TypeError(`tls must be true, false or a list of ${known.join(', ')}, got ${quote(facts)}`)
}

function isListOfFacts(facts: unknown): facts is readonly TlsFact[] {
  return Array.isArray(facts) && facts.every(fact => known.some(name => name === fact))
}

function isSecure(socket: Socket): socket is TLSSocket {
  return (socket as Partial<TLSSocket>).encrypted === true // a TLS socket, or http2's view of one
}

function sslOf(socket: TLSSocket, version: string, wanted: ReadonlySet<TlsFact>): SslInit {
  const client = certificateOf(socket.getPeerCertificate())
  const own =
    wanted.has('sigAlg') || wanted.has('keyAlg') ? certificateOf(socket.getCertificate()) : undefined
  const cn = client && [client.subject.CN].flat()[0]
  return {
    version,
    certOnConnection: client !== undefined && !socket.isSessionReused(),
    certInSession: client !== undefined,
    clientVerified: client !== undefined && socket.authorized,
    cn: wanted.has('cn') ? cn : undefined,
    cipher: wanted.has('cipher') ? socket.getCipher().name : undefined,
    sigAlg: own && wanted.has('sigAlg') ? signatureName(own) : undefined,
    keyAlg: own && wanted.has('keyAlg') ? keyName(own) : undefined,
    clientCert: wanted.has('clientCert') ? client?.raw : undefined,
  }
}

/** Node returns an empty object for no certificate. */
function certificateOf(certificate: PeerCertificate | object | null): PeerCertificate | undefined {
  return certificate !== null && 'raw' in certificate ? certificate : undefined
}
