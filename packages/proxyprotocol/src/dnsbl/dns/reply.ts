// Judges a reply. It reads only the answer section, so counts in the header cost nothing.

import { BADRESP, FORMERR, NODATA, NOTFOUND, NOTIMP, REFUSED, SERVFAIL } from 'node:dns'
import { readName } from './name.ts'
import { CLASS_IN, HEADER_BYTES, TYPE_A } from './query.ts'

/** Lists answer a few records of 16 bytes and their name servers. */
export const MAX_REPLY_BYTES = 4_096

/** Lists answer one address for each reason, fewer than twenty. */
const MAX_RECORDS = 64

/** There are one or two; the bound ends loops. */
const MAX_ALIASES = 8

/** An IPv4 address, and its TTL in seconds. */
export interface AddressRecord {
  readonly address: string
  readonly ttl: number
}

/** `NODATA` and `NOTFOUND` are answers, too. `stray` is late or forged. */
export type Reply =
  | { readonly status: 'records'; readonly records: readonly AddressRecord[] }
  | { readonly status: 'failure'; readonly code: string }
  | { readonly status: 'truncated' | 'stray' }

export const STRAY: Reply = { status: 'stray' }

interface ResourceRecord {
  readonly owner: string
  readonly ttl: number
  readonly address?: string
  readonly alias?: string
  readonly end: number
}

/** A response to a standard query (RFC 1035 section 4.1.1). */
const RESPONSE_AND_OPCODE = 0xf800
const RESPONSE = 0x8000
const TRUNCATED = 0x0200
const RESPONSE_CODE = 0x000f

/** Node's codes. */
const FAILURES: Readonly<Record<number, string>> = {
  1: FORMERR,
  2: SERVFAIL,
  3: NOTFOUND,
  4: NOTIMP,
  5: REFUSED,
}

export function readReply(reply: Uint8Array, query: Uint8Array): Reply {
  if (!repeatsQuestion(reply, query)) return STRAY
  if (reply.length > MAX_REPLY_BYTES) return failure(BADRESP)
  const flags = uint16(reply, 2)
  if (flags & TRUNCATED) return { status: 'truncated' }
  const code = flags & RESPONSE_CODE
  if (code !== 0) return failure(FAILURES[code] ?? BADRESP)
  const answers = readAnswers(reply, query.length)
  const records = answers && addressesOf(query, answers)
  if (records === undefined) return failure(BADRESP)
  return records.length > 0 ? { status: 'records', records } : failure(NODATA)
}

/** A forger has to guess id and port (RFC 5452 section 9). Servers may change case. */
function repeatsQuestion(reply: Uint8Array, query: Uint8Array): boolean {
  if (reply.length < query.length || uint16(reply, 0) !== uint16(query, 0)) return false
  if ((uint16(reply, 2) & RESPONSE_AND_OPCODE) !== RESPONSE || uint16(reply, 4) !== 1) return false
  const question = Buffer.from(reply.subarray(HEADER_BYTES, query.length)).toString('latin1')
  return question.toLowerCase() === Buffer.from(query.subarray(HEADER_BYTES)).toString('latin1')
}

function readAnswers(reply: Uint8Array, start: number): readonly ResourceRecord[] | undefined {
  const count = uint16(reply, 6)
  if (count > MAX_RECORDS) return undefined
  const records: ResourceRecord[] = []
  let at = start
  while (records.length < count) {
    const record = readRecord(reply, at)
    if (record === undefined) return undefined
    records.push(record)
    at = record.end
  }
  return records
}

/** The highest bit makes a TTL 0 (RFC 2181 section 8). */
const MAX_TTL = 2 ** 31 - 1

const TYPE_CNAME = 5
/** Type, class, TTL and data length (RFC 1035 section 4.1.3). */
const RECORD_BYTES = 10
const ADDRESS_BYTES = 4

function readRecord(reply: Uint8Array, start: number): ResourceRecord | undefined {
  const name = readName(reply, start)
  if (name === undefined || name.end + RECORD_BYTES > reply.length) return undefined
  const at = name.end + RECORD_BYTES
  const end = at + uint16(reply, at - 2)
  if (end > reply.length) return undefined
  const ttl = uint16(reply, at - 6) * 65_536 + uint16(reply, at - 4)
  const record = { owner: name.name, ttl: ttl > MAX_TTL ? 0 : ttl, end }
  if (uint16(reply, at - 8) !== CLASS_IN) return record
  const type = uint16(reply, at - 10)
  if (type === TYPE_A) {
    return end - at === ADDRESS_BYTES ? { ...record, address: reply.subarray(at, end).join('.') } : undefined
  }
  if (type !== TYPE_CNAME) return record
  const alias = readName(reply, at)
  return alias?.end === end ? { ...record, alias: alias.name } : undefined
}

/** In any order of records; undefined for too many aliases. */
function addressesOf(
  query: Uint8Array,
  records: readonly ResourceRecord[],
): readonly AddressRecord[] | undefined {
  let owner = readName(query, HEADER_BYTES)?.name
  let longest = MAX_TTL
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
    const own = records.filter(record => record.owner === owner)
    const found = own.flatMap(({ address, ttl }) =>
      address === undefined ? [] : [{ address, ttl: Math.min(ttl, longest) }],
    )
    const next = own.find(({ alias }) => alias !== undefined)
    if (found.length > 0 || next === undefined) return found
    owner = next.alias
    longest = Math.min(longest, next.ttl)
  }
  return undefined
}

function failure(code: string): Reply {
  return { status: 'failure', code }
}

function uint16(bytes: Uint8Array, at: number): number {
  // callers compare the length first
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}
