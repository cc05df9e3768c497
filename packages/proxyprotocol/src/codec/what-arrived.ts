// Guesses from the first bytes what came instead of a header.

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /^\x16\x03[\0-\x04]/,
    'this looks like a TLS ClientHello; the sender must put the header before the TLS handshake',
  ],
  [
    /^PRI \* HTTP\/2/,
    'this looks like an HTTP/2 connection without a header; is the sender set to send one?',
  ],
  [
    /^(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH) /,
    'this looks like an HTTP request without a header; is the sender set to send one?',
  ],
  [/^SSH-/, 'this looks like an SSH banner; is the sender set to send a header?'],
  [/^(?:HELO|EHLO) /i, 'this looks like an SMTP greeting; is the sender set to send a header?'],
  [/^\r\n\r\n\0\r\nQUIT\n/, 'this looks like a version 2 header, which is not accepted here'],
  [/^PROXY /, 'this looks like a version 1 header, which is not accepted here'],
  [/^proxy /i, 'this looks like a version 1 header that is not in capitals'],
  [/^\x56\xec/, 'this looks like Simple Proxy Protocol, which is for UDP and another protocol'],
]
export const HINT_BYTES = 16

/**
 * Says what bytes without a header look like.
 *
 * @returns a sentence fragment for an error message, or undefined if unknown.
 * @example
 * ```ts run
 * import { whatArrived } from 'proxyprotocol'
 *
 * console.log(whatArrived(Uint8Array.of(0x16, 0x03, 0x01, 0x02))) // this looks like a TLS ClientHello; ...
 * ```
 */
export function whatArrived(bytes: Uint8Array): string | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, HINT_BYTES))
  return HINTS.find(([pattern]) => pattern.test(start))?.[1]
}
