// Turns pasted text into bytes: hexadecimal of many tools, dumps with offsets, base64, text with escapes as for
// printf, or a version 1 line.

export interface TextBytes {
  readonly bytes: Uint8Array
  readonly format: 'hexadecimal' | 'a dump' | 'base64' | 'text with escapes' | 'text'
  readonly halfByte: boolean
}

const BETWEEN_HEX = /[\s:,]+|0x|\\x/i
const NO_HEX = /[^0-9a-f]/i
const ODD_HEX = /^[\s:,0-9a-f]{3,}$/i
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/
/** xxd, tcpdump -X, od, hexdump -C, Wireshark and the inspector. */
const DUMP_LINE = /^\s*(?:0x)?([0-9a-f]{4,8})(:?)((?:\s.*)?)$/i
/** Text stands behind a gap. hexdump -C has a gap after eight bytes too. */
const DUMP_BYTES = /^\s+((?:[0-9a-f]{2} ?){1,}(?: {1,2}(?:[0-9a-f]{2} ){1,})?)/i
/** A star repeats lines: without a bound a few letters would become gigabytes. */
const MAX_DUMP_BYTES = 1_048_576
/** Perhaps with a command before and a pipe behind. */
const QUOTED = /^(?:printf|echo -n?e|b|\$)?\s*(["'])([\s\S]*)\1[^"']*$/
const ESCAPE = /\\(?:x([0-9a-f]{1,2})|([0-7]{1,3})|([abefnrtv\\'"]))/gi
const LETTERS: Readonly<Record<string, number>> = { a: 7, b: 8, e: 27, f: 12, n: 10, r: 13, t: 9, v: 11 }
const encoder = new TextEncoder()

export function bytesFromText(text: string): TextBytes | undefined {
  const dump = dumpBytes(text)
  if (dump) return read(dump, 'a dump')
  const hex = hexBytes(text)
  if (hex) return read(hex, 'hexadecimal')
  const [, , quoted] = QUOTED.exec(text.trim()) ?? []
  if (/\\[xrn0-7]/.test(text)) return read(escapedBytes(quoted ?? text), 'text with escapes')
  if (text.startsWith('PROXY')) return read(encoder.encode(withLineEnd(text)), 'text')
  if (ODD_HEX.test(text)) return { ...read(digitPairs(text), 'hexadecimal'), halfByte: true }
  const base64 = base64Bytes(text)
  return base64 && read(base64, 'base64')
}

function read(bytes: Uint8Array, format: TextBytes['format']): TextBytes {
  return { bytes, format, halfByte: false }
}

export function hexBytes(text: string): Uint8Array | undefined {
  // One expression for the whole would fill the stack with alternatives.
  const isHex = text.split(BETWEEN_HEX).every(digits => digits.length % 2 === 0 && !NO_HEX.test(digits))
  return isHex ? digitPairs(text) : undefined
}

export function base64Bytes(text: string): Uint8Array | undefined {
  const compact = text.replace(/\s/g, '')
  if (!BASE64.test(compact)) return undefined
  const digits = compact.replace(/=/g, '').replace(/-/g, '+').replace(/_/g, '/')
  if (digits.length % 4 === 1) return undefined
  return Uint8Array.from(atob(digits), digit => digit.charCodeAt(0))
}

/** Undefined if it is not a dump from 0 without gaps. */
export function dumpBytes(text: string): Uint8Array | undefined {
  const bytes: number[] = []
  let [last, widest, repeated, lines] = [0, 0, false, 0]
  for (const line of text.split(/\r?\n/)) {
    const [, digits, colon, rest = ''] = DUMP_LINE.exec(line) ?? []
    if (line.trim() === '*') repeated = true
    if (digits === undefined || (lines === 0 && colon === '' && rest === '')) continue
    const offset = Number.parseInt(digits, 16)
    if (offset > MAX_DUMP_BYTES) return undefined
    const row = bytes.slice(last)
    while (repeated && row.length > 0 && bytes.length < offset) append(bytes, row)
    // Text beside the bytes may look like bytes, so the next offset decides how many there are.
    if (offset > last && offset < bytes.length) bytes.length = offset
    if (offset !== bytes.length) return undefined
    widest = Math.max(widest, row.length === 0 ? 0 : Math.min(row.length, offset - last))
    ;[last, repeated] = [offset, false]
    append(bytes, rowBytes(rest))
    lines++
  }
  if (lines > 1 && widest > 0) bytes.length = Math.min(bytes.length, last + widest)
  return bytes.length > 0 ? Uint8Array.from(bytes) : undefined
}

function rowBytes(rest: string): Uint8Array {
  const [, digits = ''] = DUMP_BYTES.exec(`${rest} `) ?? []
  return digitPairs(digits)
}

/** One by one, because many arguments of one call would fill the stack. */
function append(bytes: number[], more: Iterable<number>): void {
  for (const byte of more) bytes.push(byte)
}

function digitPairs(text: string): Uint8Array {
  const pairs = text.replace(/0x|\\x|[^0-9a-f]/gi, '').match(/../g) ?? []
  return Uint8Array.from(pairs, pair => Number.parseInt(pair, 16))
}

function escapedBytes(text: string): Uint8Array {
  const bytes: number[] = []
  let end = 0
  for (const { 0: all, 1: hex, 2: octal, 3: letter = '', index } of text.matchAll(ESCAPE)) {
    append(bytes, encoder.encode(text.slice(end, index)))
    end = index + all.length
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16))
    else if (octal !== undefined) bytes.push(Number.parseInt(octal, 8) & 0xff)
    else bytes.push(LETTERS[letter.toLowerCase()] ?? letter.charCodeAt(0))
  }
  append(bytes, encoder.encode(text.slice(end)))
  return Uint8Array.from(bytes)
}

function withLineEnd(text: string): string {
  const lines = text.replace(/\r?\n/g, '\r\n')
  return lines.includes('\r\n') ? lines : `${lines.trimEnd()}\r\n`
}
