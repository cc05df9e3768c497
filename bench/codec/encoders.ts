// Who encodes: our codec and the two npm peers, from what a program knows of a connection to bytes for a socket.

import * as untypedBalena from '@balena/proxy-protocol-parser'
import {
  Command,
  INETProtocol,
  IPv4Address,
  IPv4ProxyAddress,
  IPv6Address,
  IPv6ProxyAddress,
  Peer,
  TransportProtocol,
  V1BinaryProxyProtocol,
  V2ProxyProtocol,
} from 'proxy-protocol-js'

import type { Contender, Row } from './contender.ts'
import {
  encodeConnection,
  mixed,
  samplesOf,
  SHAPES,
  type Connection,
  type Sample,
  type Shape,
} from './samples.ts'
import { keepBytes } from './sink.ts'
import { checkBytes } from './verify.ts'

interface SocketDetails {
  readonly protocol: 'tcp'
  readonly remoteFamily: 'IPv4' | 'IPv6'
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
}

// Its type declarations leave out one of the two functions, and fields of what the other one takes.
const balenaParser = untypedBalena as unknown as Record<
  'v1_encode' | 'v2_encode',
  (of: SocketDetails) => Buffer
>

const ours: Contender<Connection> = { name: 'proxyprotocol', notes: [], run: runOurs }
const v1: Contender<Connection> = { name: 'proxy-protocol-js', notes: ['f'], run: runV1 }
const octets: Contender<Connection> = { name: 'proxy-protocol-js, from octets', notes: ['f'], run: runOctets }
const text: Contender<Connection> = { name: 'proxy-protocol-js, from text', notes: ['f'], run: runText }
const balena: Contender<Connection> = { name: '@balena/proxy-protocol-parser', notes: ['f'], run: runBalena }
const balenaV2: Contender<Connection> = { ...balena, notes: ['f', 'g'] }

const contenders: Readonly<Record<Shape, readonly Contender<Connection>[]>> = {
  'v1 TCP4': [ours, v1, balena],
  'v1 TCP6': [ours, v1, balena],
  'v2 TCP4': [ours, octets, text, balenaV2],
  'v2 TCP6': [ours, octets, balenaV2],
  'v2 TCP4 + 5 TLVs, CRC-32C': [{ ...ours, notes: ['h'] }],
}

export const encodeRows: readonly Row<Connection>[] = [
  ...SHAPES.map(shape => rowOf(shape, samplesOf(shape), contenders[shape])),
  rowOf('mixed', mixed, [ours, { ...octets, notes: ['f', 'h'] }, { ...balena, notes: ['f', 'g', 'h'] }]),
]

function rowOf(
  name: string,
  samples: readonly Sample[],
  by: readonly Contender<Connection>[],
): Row<Connection> {
  const inputs = samples.map(({ connection }) => connection)
  return { task: 'encode', name, inputs, contenders: by, check: checkBytes }
}

function runOurs(connection: Connection): void {
  keepBytes(encodeConnection(connection))
}

function runBalena(connection: Connection): void {
  const details: SocketDetails = {
    protocol: 'tcp',
    remoteFamily: connection.v6 ? 'IPv6' : 'IPv4',
    remoteAddress: connection.source,
    remotePort: connection.sourcePort,
    localAddress: connection.destination,
    localPort: connection.destinationPort,
  }
  keepBytes(connection.version === 1 ? balenaParser.v1_encode(details) : balenaParser.v2_encode(details))
}

function runV1({ v6, source, sourcePort, destination, destinationPort }: Connection): void {
  const protocol = v6 ? INETProtocol.TCP6 : INETProtocol.TCP4
  const peers = [new Peer(source, sourcePort), new Peer(destination, destinationPort)] as const
  keepBytes(new V1BinaryProxyProtocol(protocol, ...peers).build())
}

function runOctets(connection: Connection): void {
  if (connection.version === 1) runV1(connection)
  else if (connection.v6) buildV6(connection)
  else buildV4(connection, connection.sourceOctets, connection.destinationOctets)
}

function runText(connection: Connection): void {
  buildV4(connection, connection.source.split('.').map(Number), connection.destination.split('.').map(Number))
}

function buildV4({ sourcePort, destinationPort }: Connection, source: number[], destination: number[]): void {
  const ends = [IPv4Address.createFrom(source), IPv4Address.createFrom(destination)] as const
  build(new IPv4ProxyAddress(ends[0], sourcePort, ends[1], destinationPort))
}

function buildV6({ sourceOctets, sourcePort, destinationOctets, destinationPort }: Connection): void {
  const ends = [IPv6Address.createFrom(sourceOctets), IPv6Address.createFrom(destinationOctets)] as const
  build(new IPv6ProxyAddress(ends[0], sourcePort, ends[1], destinationPort))
}

function build(ends: IPv4ProxyAddress | IPv6ProxyAddress): void {
  keepBytes(new V2ProxyProtocol(Command.PROXY, TransportProtocol.STREAM, ends).build())
}
