// RFC 8446 section 4.1.2.

import { Cursor } from './cursor.ts'

/** A ClientHello with two post-quantum key shares and a session ticket has less than 4 KiB; a full record has this. */
export const MAX_CLIENT_HELLO_BYTES = 16_389

/** Clients split a hello into two or three records to evade filters; more only cost us work. */
const MAX_RECORDS = 16

/** About 70 are defined, and clients send about twenty. */
const MAX_EXTENSIONS = 128

/** A name costs as much time as a hundred other bytes. */
const MAX_NAMES = 64

const RECORD_HEADER_BYTES = 5
const MAX_RECORD_BYTES = 16_384
const MESSAGE_HEADER_BYTES = 4

export const HANDSHAKE_RECORD = 22
const CLIENT_HELLO = 1
/** Its version (2 bytes) and its random (32). */
const FIXED_BYTES = 34

const SERVER_NAME = 0
const HOST_NAME = 0
const ALPN = 16

/** RFC 1035 section 2.3.4, with underscores. */
const SERVER_NAME_TEXT = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/

export interface ClientHello {
  /** Also undefined for text that cannot be a host name. */
  readonly serverName: string | undefined
  readonly alpn: readonly Uint8Array[]
}

export type ClientHelloResult =
  | { readonly status: 'hello'; readonly hello: ClientHello }
  | { readonly status: 'partial'; readonly missing: number }
  | { readonly status: 'invalid'; readonly detail: string }

export function decodeClientHello(bytes: Uint8Array): ClientHelloResult {
  const message = firstMessage(bytes)
  if (message.status !== 'message') return message
  try {
    return { status: 'hello', hello: readHello(message.body) }
  } catch (error) {
    const { message: detail } = error as RangeError // the cursor throws RangeErrors only
    return { status: 'invalid', detail }
  }
}

type Message =
  Exclude<ClientHelloResult, { status: 'hello' }> | { readonly status: 'message'; readonly body: Uint8Array }

function firstMessage(bytes: Uint8Array): Message {
  const fragments: Uint8Array[] = []
  let gathered = 0
  let wanted = MESSAGE_HEADER_BYTES
  for (let at = 0; gathered < wanted;) {
    if (fragments.length === MAX_RECORDS) return invalid(`it is cut into more than ${MAX_RECORDS} records`)
    const fault = recordFault(bytes.subarray(at), gathered === 0)
    if (fault !== undefined) return invalid(fault)
    const start = at + RECORD_HEADER_BYTES
    if (bytes.length < start) return partial(start - bytes.length)
    const end = start + uint16(bytes, at + 3)
    if (bytes.length < end) return partial(end - bytes.length)
    fragments.push(bytes.subarray(start, end))
    gathered += end - start
    at = end
    if (gathered >= MESSAGE_HEADER_BYTES && wanted === MESSAGE_HEADER_BYTES) {
      const head = joined(fragments)
      wanted += (uint8(head, 1) << 16) | uint16(head, 2)
      if (wanted > MAX_CLIENT_HELLO_BYTES) return invalid(`it says that it has ${wanted} bytes`)
    }
  }
  return { status: 'message', body: joined(fragments).subarray(MESSAGE_HEADER_BYTES, wanted) }
}

function recordFault(record: Uint8Array, first: boolean): string | undefined {
  if (record.length > 0 && record[0] !== HANDSHAKE_RECORD)
    return `its record has the type ${uint8(record, 0)}, not 22`
  if (record.length > 1 && record[1] !== 3) return `its record has the version ${uint8(record, 1)}, not 3`
  if (record.length < RECORD_HEADER_BYTES) return undefined
  const length = uint16(record, 3)
  if (length === 0 || length > MAX_RECORD_BYTES) return `its record has ${length} bytes, which no record has`
  if (!first || record.length === RECORD_HEADER_BYTES || record[RECORD_HEADER_BYTES] === CLIENT_HELLO)
    return undefined
  return `its message has the type ${uint8(record, RECORD_HEADER_BYTES)}, not 1`
}

function readHello(body: Uint8Array): ClientHello {
  const cursor = new Cursor(body)
  cursor.take(FIXED_BYTES)
  cursor.vector(1) // the session id
  cursor.vector(2) // the cipher suites
  cursor.vector(1) // the compression methods
  const wanted = new Map<number, Cursor>()
  const extensions = cursor.left === 0 ? cursor : cursor.vector(2)
  for (let count = 0; extensions.left > 0; count++) {
    if (count === MAX_EXTENSIONS) throw new RangeError(`it has more than ${MAX_EXTENSIONS} extensions`)
    const type = extensions.uint(2)
    const extension = extensions.vector(2)
    if (type !== SERVER_NAME && type !== ALPN) continue
    // RFC 8446 section 4.2; the server behind might choose the other of two.
    if (wanted.has(type)) throw new RangeError(`it has two extensions of the type ${type}`)
    wanted.set(type, extension)
  }
  const names = wanted.get(SERVER_NAME)
  const protocols = wanted.get(ALPN)
  return { serverName: names && readServerName(names), alpn: protocols ? readAlpn(protocols) : [] }
}

/** RFC 6066 section 3; only one type of name is defined. */
function readServerName(extension: Cursor): string | undefined {
  const names = extension.vector(2)
  for (let count = 0; names.left > 0; count++) {
    if (count === MAX_NAMES) throw new RangeError(`it has more than ${MAX_NAMES} server names`)
    const type = names.uint(1)
    const name = names.vector(2).rest()
    if (type !== HOST_NAME) continue
    const text = Buffer.from(name).toString('latin1').toLowerCase()
    return SERVER_NAME_TEXT.test(text) ? text : undefined
  }
  return undefined
}

/** RFC 7301 section 3.1: no name is empty. */
function readAlpn(extension: Cursor): readonly Uint8Array[] {
  const names = extension.vector(2)
  const protocols: Uint8Array[] = []
  while (names.left > 0) {
    if (protocols.length === MAX_NAMES) throw new RangeError(`it offers more than ${MAX_NAMES} protocols`)
    const name = names.vector(1).rest()
    if (name.length === 0) throw new RangeError('it offers a protocol without a name')
    protocols.push(name.slice())
  }
  return protocols
}

function invalid(detail: string): Message {
  return { status: 'invalid', detail }
}

function partial(missing: number): Message {
  return { status: 'partial', missing }
}

function joined(fragments: readonly Uint8Array[]): Uint8Array {
  const [only] = fragments
  return fragments.length === 1 && only ? only : Buffer.concat(fragments)
}

function uint8(bytes: Uint8Array, at: number): number {
  return bytes[at] as number // callers check the length first
}

function uint16(bytes: Uint8Array, at: number): number {
  return (uint8(bytes, at) << 8) | uint8(bytes, at + 1)
}
