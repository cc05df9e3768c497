// The written list: why an implementation comes to another verdict than this library. What no entry covers is a fault,
// ours until shown otherwise, and becomes a vector.

import { decodeHeader, tlvType } from 'proxyprotocol'

import type { PeerName } from './peers.ts'
import type { Ours, Verdict } from './verdict.ts'

/** One header at one peer, with two verdicts that differ. */
export interface Disagreement {
  readonly peer: PeerName
  readonly header: Uint8Array
  readonly ours: Ours
  readonly theirs: Verdict
}

/** An entry of the list. */
export interface Reason {
  readonly peers: readonly PeerName[]
  /** What the peer does; a sentence for the table. */
  readonly they: string
  /** Why we do otherwise. */
  readonly we: string
  covers(disagreement: Disagreement): boolean
}

const NGINX: readonly PeerName[] = ['nginx http', 'nginx stream']
const MAX_AUTHORITY = 255
/** Bytes that nginx 1.22 looks at for a header. */
const NGINX_BYTES: Partial<Record<PeerName, number>> = { 'nginx http': 1024, 'nginx stream': 107 }

/** Every reason; the first that covers a case has it. */
export const reasons: readonly Reason[] = [
  {
    peers: ['haproxy'],
    they: 'refuses PROXY with any family but TCP over IPv4 and TCP over IPv6',
    we: 'the specification leaves the choice (2.2); UNIX and UDP are told, UNSPEC gives the connection’s own ends',
    covers: each =>
      isBinary(each) && each.theirs.kind === 'refused' && isOneOf(each, ['DGRAM', 'UNIX', 'UNSPEC']),
  },
  {
    peers: ['haproxy'],
    they: 'refuses an UNKNOWN line that goes on behind the word',
    we: 'a receiver must ignore what stands there (2.1)',
    covers: each => !isBinary(each) && each.theirs.kind === 'refused' && isOneOf(each, ['UNSPEC']),
  },
  {
    peers: ['go-proxyproto'],
    they: 'refuses an UNKNOWN line that holds a lone CR or LF, or where no space follows the word',
    we: 'only CRLF ends the line, and a receiver must ignore what stands before it (2.1)',
    covers: each => !isBinary(each) && each.theirs.kind === 'refused' && isOneOf(each, ['UNSPEC']),
  },
  {
    peers: ['haproxy'],
    they: 'refuses an authority of more than 255 bytes',
    we: 'the specification has no such limit',
    covers: each => each.theirs.kind === 'refused' && hasLongAuthority(each),
  },
  {
    peers: ['haproxy'],
    they: 'does not look at the TLVs of LOCAL, a wrong checksum among them',
    we: 'a checksum that is there must be right (2.2.3)',
    covers: each => isTaken(each) && isLocal(each) && each.ours.reason === 'checksum_mismatch',
  },
  {
    peers: ['haproxy'],
    they: 'does not look into the SSL TLV unless it is asked for',
    we: 'a malformed TLV is always refused, or the answer would depend on the question',
    covers: each => isTaken(each) && isOneOf(each, ['ssl_length', 'ssl_overrun']),
  },
  {
    peers: ['haproxy', 'go-proxyproto'],
    they: 'takes a line whose addresses, ports, spaces or end are not as written: missing octets, overflows, signs, words behind the ports',
    we: 'what does not match exactly is refused (2): two readers of such a line see two clients',
    covers: each => isTaken(each) && isOneOf(each, ['v1_address', 'v1_port', 'v1_separator', 'v1_line_end']),
  },
  {
    peers: ['haproxy', ...NGINX],
    they: 'takes a version 1 line of more than 107 bytes',
    we: '107 is the most that a line can have (2.1)',
    covers: each => isTaken(each) && each.ours.reason === 'v1_too_long',
  },
  {
    peers: NGINX,
    they: 'refuses a header that does not fit what it reads at once: 107 bytes in stream, 1024 in http, before version 1.23.3',
    we: 'up to `maxHeaderBytes`, 4096 by default',
    covers: each =>
      each.theirs.kind === 'refused' && byteLengthOf(each) > (NGINX_BYTES[each.peer] ?? Infinity),
  },
  {
    peers: NGINX,
    they: 'takes UNIX and UDP for the connection’s own ends',
    we: 'they are told as the header says them',
    covers: each => isOwn(each) && isOneOf(each, ['DGRAM', 'UNIX']),
  },
  {
    peers: NGINX,
    they: 'takes every command but PROXY for LOCAL, and every family and transport that it does not know for the connection’s own ends, whatever the length',
    we: 'undefined values must be refused, and so must a block that is too short (2.2)',
    covers: each => isTaken(each) && isOneOf(each, ['v2_command', 'v2_family', 'v2_transport', 'v2_length']),
  },
  {
    peers: [...NGINX, 'go-proxyproto'],
    they: 'does not judge TLVs: neither their lengths nor the checksum',
    we: 'a checksum that is there must be right (2.2.3), and bytes that are no TLVs do not belong to a header',
    covers: each => isTaken(each) && /^(tlv|checksum|ssl|unique_id)_/.test(each.ours.reason),
  },
  {
    peers: NGINX,
    they: 'looks only at the characters of a version 1 address: the text may be empty, of another family, or no address',
    we: 'both addresses are of the family that the line announces (2.1)',
    covers: each =>
      isTaken(each) && isOneOf(each, ['v1_address', 'v1_family_mismatch', 'v1_port', 'v1_separator']),
  },
  {
    peers: ['go-proxyproto'],
    they: 'takes a line whose addresses are of another family than it announces',
    we: 'both are of the family that the line announces (2.1)',
    covers: each => isTaken(each) && each.ours.reason === 'v1_family_mismatch',
  },
  {
    peers: ['go-proxyproto'],
    they: 'looks only at the first five letters of the first word: `PROXYP TCP4 ...` is a header',
    we: 'one space follows PROXY (2.1)',
    covers: each => isTaken(each) && each.ours.reason === 'absent' && textOf(each).startsWith('PROXY'),
  },
  {
    peers: ['go-proxyproto'],
    they: 'refuses a v4-mapped address in a TCP6 line',
    we: 'senders map IPv4 addresses so where the two ends are of different families',
    covers: each =>
      !isBinary(each) && each.theirs.kind === 'refused' && /::ffff:|:ffff:\d+\./i.test(textOf(each)),
  },
  {
    peers: ['go-proxyproto'],
    they: 'shows a v4-mapped address as the IPv4 address in it',
    we: 'an address is told in the family that the header says',
    covers: ({ ours, theirs }) =>
      ours.reason === 'INET6' &&
      ours.verdict.kind === 'accepted' &&
      theirs.kind === 'accepted' &&
      ours.verdict.client.replaceAll('::ffff:', '') === theirs.client,
  },
  {
    peers: ['go-proxyproto'],
    they: 'goes by one half of the family byte, undefined and UNSPEC halves included, and by that of LOCAL too; refuses what is UNSPEC as a whole',
    we: 'undefined values must be refused, UNSPEC means the connection’s own ends, and LOCAL does so with any family byte (2.2)',
    covers: each => isBinary(each) && isOneOf(each, ['UNSPEC', 'LOCAL', 'v2_family', 'v2_transport']),
  },
]

function isTaken({ theirs }: Disagreement): boolean {
  return theirs.kind !== 'refused'
}

function isOwn({ theirs }: Disagreement): boolean {
  return theirs.kind === 'accepted' && theirs.client === 'own'
}

function isOneOf({ ours }: Disagreement, wanted: readonly Ours['reason'][]): boolean {
  return wanted.includes(ours.reason)
}

function isBinary({ header }: Disagreement): boolean {
  return header[0] === 0x0d
}

function isLocal({ header }: Disagreement): boolean {
  return header[12] === 0x20
}

function textOf({ header }: Disagreement): string {
  return Buffer.from(header).toString('latin1')
}

function byteLengthOf({ header }: Disagreement): number {
  const result = decodeHeader(header)
  return result.status === 'header' ? result.byteLength : header.length
}

function hasLongAuthority({ header }: Disagreement): boolean {
  const result = decodeHeader(header)
  if (result.status !== 'header') return false
  return result.header.tlvs.some(
    ({ type, value }) => type === tlvType.authority && value.length > MAX_AUTHORITY,
  )
}
