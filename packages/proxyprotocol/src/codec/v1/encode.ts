// Encodes version 1 (spec 2.1) byte by byte, in half the time of encoding a string.

import { writeV4, writeV6 } from '../address/index.ts'
import { destinationBytes, endsOf, isUnix, sourceBytes, writeEnds } from '../header-ends.ts'
import type { HeaderInit } from '../header-init.ts'
import { utf8Bytes } from '../text.ts'
import { MAX_V1_BYTES } from './decode.ts'

/** haproxy refuses any byte between the keyword and the CRLF. */
const UNKNOWN_LINE = 'PROXY UNKNOWN\r\n'
const START = utf8Bytes('PROXY TCP4 ')
const FAMILY_AT = START.length - 2
const ZERO = 0x30
const SPACE = 0x20
const CR = 0x0d
const LF = 0x0a

const line = new Uint8Array(MAX_V1_BYTES)
line.set(START)

export function encodeV1(header: HeaderInit): Uint8Array {
  const ends = endsOf(header)
  if (ends === undefined || isUnix(ends)) return utf8Bytes(UNKNOWN_LINE)
  const family = writeEnds(ends)
  if (ends.transport === 'DGRAM') return utf8Bytes(UNKNOWN_LINE)
  line[FAMILY_AT] = ZERO + family
  const writeText = family === 4 ? writeV4 : writeV6
  let end = writeText(sourceBytes, line, START.length)
  line[end++] = SPACE
  end = writeText(destinationBytes, line, end)
  line[end++] = SPACE
  end = writePort(ends.source.port, end)
  line[end++] = SPACE
  end = writePort(ends.destination.port, end)
  line[end++] = CR
  line[end++] = LF
  return line.slice(0, end)
}

function writePort(port: number, at: number): number {
  let end = at + 1
  for (let power = 10; power <= port; power *= 10) end++
  let rest = port
  for (let i = end - 1; i >= at; i--) {
    const next = (rest / 10) | 0
    line[i] = ZERO + rest - 10 * next
    rest = next
  }
  return end
}
