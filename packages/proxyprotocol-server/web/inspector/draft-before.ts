// Lays the readable part of a malformed header over the form's draft.

import type { Family, HeaderField } from 'proxyprotocol'
import { firstEnds, tlvDraft, type Draft } from './draft.ts'

const FAMILIES: Readonly<Record<string, Family>> = {
  TCP4: 'INET',
  TCP6: 'INET6',
  INET: 'INET',
  INET6: 'INET6',
  UNIX: 'UNIX',
}
const TLV_HEAD_BYTES = 3

export function draftBefore(bytes: Uint8Array, fields: readonly HeaderField[], base: Draft): Draft {
  if (fields.length === 0) return base
  const said = new Map(fields.map(({ name, value }) => [name, value]))
  const version = said.get('signature') === 'PROXY' ? 1 : 2
  const [, command = version === 1 ? 'PROXY' : base.command] = wordsOf(said.get('version, command'))
  const [family = base.family, transport = base.transport] = wordsOf(
    said.get('protocol') ?? said.get('family, transport'),
  )
  const known = FAMILIES[family] ?? 'UNSPEC'
  const ends = known === base.family ? base : firstEnds[known]
  const end = (name: 'source' | 'destination'): string =>
    said.get(`${name} address`) ?? said.get(`${name} path`) ?? ends[name]
  const tlvs = tlvsOf(bytes, fields)
  return {
    version,
    command: command === 'LOCAL' ? 'LOCAL' : 'PROXY',
    family: known,
    transport: transport === 'DGRAM' ? 'DGRAM' : 'STREAM',
    source: end('source'),
    sourcePort: said.get('source port') ?? ends.sourcePort,
    destination: end('destination'),
    destinationPort: said.get('destination port') ?? ends.destinationPort,
    tlvs: [...tlvs, ...base.tlvs.slice(tlvs.length)],
  }
}

function wordsOf(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(', ')
}

function tlvsOf(bytes: Uint8Array, fields: readonly HeaderField[]): Draft['tlvs'] {
  return fields
    .filter(field => field.fields[0]?.name === 'type')
    .map(({ offset, byteLength }) =>
      tlvDraft({
        type: bytes[offset] ?? 0,
        value: bytes.slice(offset + TLV_HEAD_BYTES, offset + byteLength),
      }),
    )
}
