// `proxyprotocol-inspect build`: makes a header from flags.

import { isIP } from 'node:net'
import type { Command } from 'commander'
import { encodeHeader, tlv, type Endpoint, type HeaderInit, type Tlv } from 'proxyprotocol'
import { ConfigError } from '../../config/index.ts'
import { createCommand, type ProgramIo } from '../program.ts'

const MAX_PORT = 65_535
const EXAMPLE_PORT = 56_324

const outputFormats = ['hex', 'base64', 'raw'] as const

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
    throw new ConfigError(`--out must be one of ${outputFormats.join(', ')}, got ${JSON.stringify(out)}`)
  }
  if (format === 'raw') io.outBytes(bytes)
  else io.out(`${Buffer.from(bytes).toString(format)}\n`)
}

/** Encoding names fields, not flags, so its error is rewritten. */
function headerBytes(flags: Flags): Uint8Array {
  try {
    return encodeHeader(headerInit(flags), { checksum: flags.checksum ?? false })
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`no such header: ${(error as Error).message}`) // encoding throws Error objects only
  }
}

function headerInit(flags: Flags): HeaderInit {
  const { source, destination, v1, local, dgram } = flags
  const version = v1 ? 1 : 2
  const tlvs = tlvsOf(flags)
  if (source === undefined && destination === undefined) {
    return local || !v1 ? { version: 2, command: 'LOCAL', tlvs } : { version, family: 'UNSPEC', tlvs }
  }
  if (local) throw new ConfigError('--local announces no client: leave out --source and --destination')
  const ends = {
    source: source === undefined ? undefined : endpointOf('--source', source),
    destination: destination === undefined ? undefined : endpointOf('--destination', destination),
  }
  if (ends.source === undefined || ends.destination === undefined) {
    throw new ConfigError('--source and --destination belong together: a header has both ends, or none')
  }
  return { version, ...ends, ...(dgram ? { transport: 'DGRAM' } : {}), tlvs } as HeaderInit // encoding checks that both ends match
}

function endpointOf(flag: string, text: string): Endpoint {
  if (text.startsWith('unix:')) return { path: text.slice('unix:'.length) }
  const [, bracketed, plain = bracketed, port] = /^(?:\[(.*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? []
  if (plain !== undefined && isIP(plain) === (bracketed === undefined ? 4 : 6) && Number(port) <= MAX_PORT)
    return { address: plain, port: Number(port) }
  const meant =
    isIP(text) === 0 ? '' : `; did you mean "${isIP(text) === 6 ? `[${text}]` : text}:${EXAMPLE_PORT}"?`
  throw new ConfigError(
    `${flag} must be an IP address and its port, as in "192.0.2.1:443" or "[2001:db8::1]:443", got ${JSON.stringify(text)}${meant}`,
  )
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
    throw new ConfigError(`--tlv must be TYPE=HEX such as 0xe5=0102 or 229=, got ${JSON.stringify(text)}`)
  }
  return { type: Number(type), value: Buffer.from(value, 'hex') }
}
