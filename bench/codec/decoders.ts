// Who decodes: our codec and the two npm peers, each used as its documentation shows, all from the same Buffers.

import { decode as decodeBalena } from '@balena/proxy-protocol-parser'
import {
  IPv4ProxyAddress,
  IPv6ProxyAddress,
  ProxyProtocolIdentifier,
  ProxyProtocolVersion,
  V1BinaryProxyProtocol,
  V1ProxyProtocol,
  V2ProxyProtocol,
} from 'proxy-protocol-js'

import { decodeHeader } from '../../packages/proxyprotocol/src/codec/index.ts'
import type { Contender, Row } from './contender.ts'
import { mixed, samplesOf, SHAPES, type Sample, type Shape } from './samples.ts'
import { keepAddresses, keepPorts, keepTexts } from './sink.ts'
import { checkEnds } from './verify.ts'

const ours: Contender<Sample> = { name: 'proxyprotocol', notes: [], run: runOurs }
const fromBytes: Contender<Sample> = { name: 'proxy-protocol-js', notes: ['a'], run: runV1 }
const fromString: Contender<Sample> = {
  name: 'proxy-protocol-js, from a string',
  notes: ['a', 'b'],
  run: runV1String,
}
const octets: Contender<Sample> = { name: 'proxy-protocol-js, octets', notes: ['c'], run: runV2 }
const asText: Contender<Sample> = { name: 'proxy-protocol-js, as text', notes: ['c'], run: runV2AsText }
const detecting: Contender<Sample> = {
  name: 'proxy-protocol-js, as text',
  notes: ['a', 'c', 'd'],
  run: runDetecting,
}
const balena: Contender<Sample> = { name: '@balena/proxy-protocol-parser', notes: ['e'], run: runBalena }

export const decodeRows: readonly Row<Sample>[] = [
  ...SHAPES.map(rowOf),
  {
    task: 'decode',
    name: 'mixed',
    inputs: mixed,
    check: checkEnds,
    contenders: [ours, detecting, { ...balena, notes: ['d', 'e'] }],
  },
]

function rowOf(shape: Shape): Row<Sample> {
  const peers = shape.startsWith('v1') ? [fromBytes, fromString, balena] : [octets, asText, balena]
  const contenders = shape.includes('TLVs')
    ? peers.map((peer): Contender<Sample> => ({ ...peer, notes: [...peer.notes, 'd' as const].toSorted() }))
    : peers
  return {
    task: 'decode',
    name: shape,
    inputs: samplesOf(shape),
    contenders: [ours, ...contenders],
    check: checkEnds,
  }
}

function runOurs({ bytes }: Sample): void {
  const result = decodeHeader(bytes)
  if (result.status !== 'header') throw new Error(result.status)
  const { header } = result
  if (header.family !== 'INET' && header.family !== 'INET6') throw new Error(header.family)
  keepTexts(header.source.address, header.destination.address)
  keepPorts(header.source.port, header.destination.port)
}

function runBalena({ bytes }: Sample): void {
  const ends = decodeBalena(bytes, true)
  if (ends === null) throw new Error('no header')
  keepTexts(ends.remoteAddress, ends.localAddress)
  keepPorts(ends.remotePort, ends.localPort)
}

function runV1({ bytes }: Sample): void {
  keepV1(V1BinaryProxyProtocol.parse(bytes))
}

function runV1String({ bytes }: Sample): void {
  keepV1(V1ProxyProtocol.parse(bytes.toString('latin1')))
}

function keepV1({ source, destination }: V1BinaryProxyProtocol | V1ProxyProtocol): void {
  keepTexts(source.ipAddress, destination.ipAddress)
  keepPorts(source.port, destination.port)
}

function runV2({ bytes }: Sample): void {
  const ends = endsOf(V2ProxyProtocol.parse(bytes))
  keepAddresses(ends.sourceAddress.address, ends.destinationAddress.address)
  keepPorts(ends.sourcePort, ends.destinationPort)
}

function runV2AsText({ bytes }: Sample): void {
  const ends = endsOf(V2ProxyProtocol.parse(bytes))
  const write = ends instanceof IPv4ProxyAddress ? dotted : groups
  keepTexts(write(ends.sourceAddress.address), write(ends.destinationAddress.address))
  keepPorts(ends.sourcePort, ends.destinationPort)
}

function runDetecting(sample: Sample): void {
  if (ProxyProtocolIdentifier.identify(sample.bytes) === ProxyProtocolVersion.V1) runV1(sample)
  else runV2AsText(sample)
}

function endsOf({ proxyAddress }: V2ProxyProtocol): IPv4ProxyAddress | IPv6ProxyAddress {
  if (proxyAddress instanceof IPv4ProxyAddress || proxyAddress instanceof IPv6ProxyAddress)
    return proxyAddress
  throw new Error('no addresses')
}

function dotted(address: readonly number[]): string {
  return address.join('.')
}

function groups(address: readonly number[]): string {
  let text = ''
  for (let i = 0; i < address.length; i += 2) {
    const group = ((address[i] ?? 0) << 8) | (address[i + 1] ?? 0)
    text += (i === 0 ? '' : ':') + group.toString(16)
  }
  return text
}
