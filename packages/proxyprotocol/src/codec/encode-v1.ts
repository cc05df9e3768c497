// Version 1 as a line of text (spec 2.1), addresses in canonical form.

import { formatV4, formatV6, V4_AT } from './address.ts'
import type { HeaderInit } from './header-init.ts'
import { destinationBytes, endsOf, isUnix, sourceBytes, writeEnds } from './header-ends.ts'
import { utf8Bytes } from './text.ts'

/** Without the addresses that a sender may add: haproxy refuses any byte between the keyword and the CRLF. */
const UNKNOWN_LINE = 'PROXY UNKNOWN\r\n'

/** @throws TypeError or RangeError naming what is wrong with the header. */
export function encodeV1(header: HeaderInit): Uint8Array {
  const ends = endsOf(header)
  if (ends === undefined || isUnix(ends)) return utf8Bytes(UNKNOWN_LINE)
  const family = writeEnds(ends)
  if (ends.transport === 'DGRAM') return utf8Bytes(UNKNOWN_LINE)
  const addresses =
    family === 4
      ? `TCP4 ${formatV4(sourceBytes, V4_AT)} ${formatV4(destinationBytes, V4_AT)}`
      : `TCP6 ${formatV6(sourceBytes, 0)} ${formatV6(destinationBytes, 0)}`
  return utf8Bytes(`PROXY ${addresses} ${String(ends.source.port)} ${String(ends.destination.port)}\r\n`)
}
