// Names of a certificate's algorithms, as OpenSSL writes them.

import type { PeerCertificate } from 'node:tls'

const LONG_FORM = 0x80

const signatureNames: Readonly<Record<string, string>> = {
  '2a864886f70d010105': 'RSA-SHA1',
  '2a864886f70d01010a': 'RSASSA-PSS',
  '2a864886f70d01010b': 'RSA-SHA256',
  '2a864886f70d01010c': 'RSA-SHA384',
  '2a864886f70d01010d': 'RSA-SHA512',
  '2a8648ce3d0401': 'ecdsa-with-SHA1',
  '2a8648ce3d040302': 'ecdsa-with-SHA256',
  '2a8648ce3d040303': 'ecdsa-with-SHA384',
  '2a8648ce3d040304': 'ecdsa-with-SHA512',
  '2b6570': 'ED25519',
  '2b6571': 'ED448',
}

/** For example `RSA-SHA256`; undefined for an algorithm without a name here. */
export function signatureName({ raw }: PeerCertificate): string | undefined {
  const body = element(raw, element(raw, 0).start) // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, ... }
  const algorithm = element(raw, body.end)
  const identifier = element(raw, algorithm.start)
  return signatureNames[raw.toString('hex', identifier.start, identifier.end)]
}

/** For example `RSA2048` or `EC256`; undefined for other kinds. */
export function keyName({ asn1Curve, modulus, bits }: PeerCertificate): string | undefined {
  const kind = asn1Curve === undefined ? modulus && 'RSA' : 'EC'
  return kind && `${kind}${String(bits)}`
}

function element(der: Buffer, at: number): { readonly start: number; readonly end: number } {
  const first = der.readUInt8(at + 1)
  const more = first & LONG_FORM ? first & ~LONG_FORM : 0
  const start = at + 2 + more
  return { start, end: start + (more ? der.readUIntBE(at + 2, more) : first) }
}
