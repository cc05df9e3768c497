// TLV by TLV, in order and with names where they are known.

import { readTlvs, tlvType, type ProxyHeader, type SslInfo, type Tlv } from 'proxyprotocol'
import { readExtension, type ConnectionInfo, type ExtensionInfo } from 'proxyprotocol/server'
import { type LogFields, type LogValue, showEndpoint } from './text.ts'

const names = new Map<number, string>(Object.entries(tlvType).map(([name, type]) => [type, name]))

type Described = Pick<ConnectionInfo, 'via' | 'source' | 'destination' | 'header'>

export function describeConnection(info: Described): LogFields {
  const { via, source, destination, header } = info
  const extension = header && readExtension(header)
  return [
    ['peer', showEndpoint(via.peer)],
    ['source', showEndpoint(source)],
    ['destination', showEndpoint(destination)],
    ...(header ? describeHeader(header) : []),
    ...(extension ? describeExtension(extension) : []),
  ]
}

function describeHeader({ version, command, family, transport, tlvs }: ProxyHeader): LogFields {
  return [
    ['version', version],
    ['command', command],
    ['family', family],
    ['transport', transport],
    ...tlvs.flatMap(describeTlv),
  ]
}

function describeTlv(tlv: Tlv): LogFields {
  const { type, value } = tlv
  if (type === tlvType.noop) return [['noop', `${String(value.length)}B`]]
  const { ssl, ...values } = readTlvs({ tlvs: [tlv] })
  if (ssl) return describeSsl(ssl)
  const { alpn, authority, netns, spiffe, aws, azure, gcp, alibaba } = values
  const cloud = aws?.vpcEndpointId ?? azure?.linkId ?? gcp?.pscConnectionId
  const inAlibaba = alibaba?.vpcId ?? alibaba?.endpointId ?? alibaba?.endpointServiceId
  const name = names.get(type) ?? `tlv.0x${type.toString(16).padStart(2, '0')}`
  return [[name, alpn ?? authority ?? netns ?? spiffe ?? cloud ?? inAlibaba ?? value]]
}

function describeSsl(ssl: SslInfo): LogFields {
  const { encrypted, clientVerified, version, cn, cipher, sigAlg, keyAlg, group, sigScheme, clientCert } = ssl
  const fields: Record<string, LogValue> = {
    encrypted,
    clientVerified,
    version,
    cn,
    cipher,
    sigAlg,
    keyAlg,
    group,
    sigScheme,
    clientCert,
  }
  return Object.entries(fields).map(([name, value]) => [`ssl.${name}`, value])
}

function describeExtension({ compression, secretBits, peercert, dnsbl }: ExtensionInfo): LogFields {
  return [
    ['extension.compression', compression],
    ['extension.secretBits', secretBits],
    ['extension.peercert', peercert && JSON.stringify(peercert)],
    ['extension.dnsbl', dnsbl],
  ]
}
