// `proxyprotocol-inspect build`: a header from flags, for tests by hand and for scripts.

import { isIP } from 'node:net'
import type { Command } from 'commander'
import { encodeHeader, tlv, type Endpoint, type HeaderInit, type Tlv } from 'proxyprotocol'
import { ConfigError, parseAddress } from '../config/index.ts'
import { bytesOfText } from './inspect-input.ts'
import { createCommand, type ProgramIo } from './program.ts'

const outputFormats = ['hex', 'base64', 'raw'] as const

/** Writing bytes that are no text. */
export interface BuildIo extends ProgramIo {
  outBytes(bytes: Uint8Array): void
}

interface Flags {
  readonly source?: string
  readonly destination?: string
  readonly v1?: true
  readonly local?: true
  readonly dgram?: true
  readonly alpn?: string
  readonly authority?: string
  readonly uniqueId?: string
  readonly netns?: string
  readonly tlv?: readonly string[]
  readonly checksum?: true
  readonly out: string
}

/** The sub-command; what it writes goes to `io`. */
export function buildCommand(io: BuildIo): Command {
  return createCommand('build', io)
    .description('Makes a header: LOCAL or UNKNOWN without --source and --destination.')
    .option('--source <ADDRESS:PORT>', 'the client, or unix:PATH')
    .option('--destination <ADDRESS:PORT>', 'what it connected to, or unix:PATH')
    .option('--v1', 'version 1; default 2')
    .option('--local', 'the proxy speaks for itself, as in a health check')
    .option('--dgram', 'UDP, or a UNIX datagram socket')
    .option('--alpn <PROTOCOL>', 'for example h2')
    .option('--authority <NAME>', 'the host name that the client asked for')
    .option('--unique-id <TEXT>', 'at most 128 bytes')
    .option('--netns <NAME>', 'network namespace')
    .option('--tlv <TYPE=HEX>', 'any other TLV, for example 0xe5=0102; repeatable', gather)
    .option('--checksum', 'with a CRC-32C')
    .option('--out <FORMAT>', outputFormats.join(', '), 'hex')
    .action((flags: Flags) => {
      write(headerBytes(flags), flags.out, io)
    })
}

function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

function write(bytes: Uint8Array, out: string, io: BuildIo): void {
  const format = outputFormats.find(known => known === out)
  if (format === undefined) {
    throw new ConfigError(`--out is ${JSON.stringify(out)}, wanted one of ${outputFormats.join(', ')}`)
  }
  if (format === 'raw') io.outBytes(bytes)
  else io.out(`${Buffer.from(bytes).toString(format)}\n`)
}

/** What encoding refuses is an error of the flags, whose names it does not know. */
function headerBytes(flags: Flags): Uint8Array {
  try {
    return encodeHeader(headerInit(flags), { checksum: flags.checksum ?? false })
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`no such header: ${(error as Error).message}`) // it throws nothing else
  }
}

function headerInit(flags: Flags): HeaderInit {
  const { source, destination, v1, local, dgram } = flags
  const version = v1 ? 1 : 2
  const tlvs = tlvsOf(flags)
  if (source === undefined && destination === undefined) {
    return local || !v1 ? { version: 2, command: 'LOCAL', tlvs } : { version, family: 'UNSPEC', tlvs }
  }
  if (local) throw new ConfigError('--local announces nobody: leave out --source and --destination')
  if (source === undefined || destination === undefined) {
    throw new ConfigError('--source and --destination belong together: a header has both ends, or none')
  }
  const ends = {
    source: endpointOf('--source', source),
    destination: endpointOf('--destination', destination),
  }
  return { version, ...ends, ...(dgram ? { transport: 'DGRAM' } : {}), tlvs } as HeaderInit // encoding checks that the ends are of one kind
}

function endpointOf(flag: string, text: string): Endpoint {
  if (text.startsWith('unix:')) return { path: text.slice('unix:'.length) }
  const address = parseAddress(text, { role: 'listen' })
  if (address.transport === 'tcp' && address.tls === undefined) {
    const { host = '', port } = address
    if (isIP(host) !== 0) return { address: host, port }
  }
  throw new ConfigError(`${flag} is ${JSON.stringify(text)}, wanted an IP address and its port, not a name`)
}

function tlvsOf({ alpn, authority, uniqueId, netns, tlv: others = [] }: Flags): readonly Tlv[] {
  return [
    ...(alpn === undefined ? [] : [tlv.alpn(alpn)]),
    ...(authority === undefined ? [] : [tlv.authority(authority)]),
    ...(uniqueId === undefined ? [] : [tlv.uniqueId(uniqueId)]),
    ...(netns === undefined ? [] : [tlv.netns(netns)]),
    ...others.map(otherTlv),
  ]
}

function otherTlv(text: string): Tlv {
  const [, type, value] = /^(0x[0-9a-f]{1,2}|\d{1,3})=([0-9a-f]*)$/i.exec(text) ?? []
  if (type === undefined || value === undefined || Number(type) > 0xff || value.length % 2 === 1) {
    throw new ConfigError(`--tlv is ${JSON.stringify(text)}, wanted TYPE=HEX such as 0xe5=0102 or 229=`)
  }
  return { type: Number(type), value: bytesOfText(value, 'hex') }
}
