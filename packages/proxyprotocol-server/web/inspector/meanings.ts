// The purpose of each field in a sentence or two.

const meanings: Readonly<Record<string, string>> = {
  signature: 'What every header starts with, so that a receiver can tell it from anything else.',
  'version, command':
    'The upper half is the version, always 2. The lower half is the command: PROXY (1) speaks for a client, LOCAL (0) is the sender’s own connection, such as a health check. The receiver then uses the socket’s own addresses.',
  'family, transport':
    'The upper half is the address family: INET (1), INET6 (2), UNIX (3), or UNSPEC (0). The lower half is the transport: STREAM (1) for TCP, DGRAM (2) for UDP.',
  length: 'How many bytes follow, most significant byte first.',
  protocol: 'TCP4 or TCP6; UNKNOWN where the sender cannot say, and then the socket’s own addresses count.',
  'source address': 'The client: who opened the connection that is being proxied.',
  'destination address': 'What the client connected to: an address of the first proxy.',
  'source port': 'The client’s port.',
  'destination port': 'The port that the client connected to.',
  'source path': 'The client’s UNIX socket: 108 bytes, filled up with zeros.',
  'destination path': 'The UNIX socket that the client connected to: 108 bytes, filled up with zeros.',
  separator: 'Exactly one space stands between two fields of version 1.',
  'line end': 'The header ends here; the connection’s own data follows.',
  ignored: 'Receivers skip this.',
  alpn: 'The application protocol that the client and the proxy agreed on in TLS, such as h2.',
  authority: 'The host name that the client asked for: the server name of TLS (SNI).',
  checksum:
    'CRC-32C over the whole header, with these four bytes taken as zero. A receiver that finds another sum must refuse the connection.',
  noop: 'Padding: receivers skip it.',
  uniqueId:
    'The sender’s name for this connection, at most 128 bytes: it finds the connection in the logs of both.',
  ssl: 'The client’s TLS connection, which ended at the proxy.',
  client:
    'Bits: 1 the client spoke TLS, 2 it sent a certificate on this connection, 4 it sent one in this session.',
  verify:
    'Zero where the client’s certificate was verified. HAProxy writes zero also where there was none: look at the bits of client first.',
  sslVersion: 'The version of TLS.',
  sslCn: 'The common name in the client’s certificate.',
  sslCipher: 'The cipher suite.',
  sslSigAlg: 'The signature algorithm of the proxy’s own certificate.',
  sslKeyAlg: 'The kind and size of the key of the proxy’s own certificate.',
  sslGroup: 'The group of the key exchange.',
  sslSigScheme: 'The algorithm that the proxy signed the handshake with.',
  sslClientCert: 'The client’s certificate, in DER.',
  netns: 'The network namespace of the sender’s socket.',
  aws: 'AWS: the VPC endpoint that the client came through.',
  spiffe: 'Istio: the identity of the client’s workload, a SPIFFE id.',
  azure: 'Azure: the private endpoint’s link id.',
  gcp: 'Google Cloud: the id of the Private Service Connect connection.',
  alibaba: 'Alibaba Cloud: an id of the private link.',
  magic: 'Marks padding that the Python library proxy-protocol hides TLVs of its own in.',
  type: 'What kind of TLV this is.',
  value: 'What the TLV says.',
  payload: 'Not part of the header: the connection’s own data, as the client sent it.',
}

const ranges: Readonly<Record<string, string>> = {
  unassigned: 'A type that the specification gives no meaning.',
  custom: 'For the applications of one site or vendor: only sender and receiver know what it means.',
  experimental: 'For experiments; receivers that do not know it skip it.',
  reserved: 'Set aside for later.',
}

export function meaningOf(name: string): string {
  return meanings[name] ?? ranges[name.split(' ')[0] ?? ''] ?? ''
}

export const SPECIFICATION = 'https://www.haproxy.org/download/3.3/doc/proxy-protocol.txt'
