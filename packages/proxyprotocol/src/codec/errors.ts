// The codes of all errors; docs/errors.md explains each.

/** Every code with its message: first the faults in a header, then the reasons why a connection ends. */
export const errorMessages = {
  header_truncated: 'the header must be complete, but the input ends inside it',
  header_too_long: 'the header must fit the limit (maxHeaderBytes, or limits.headerBytes of a server)',
  trailing_bytes: 'nothing must follow the header; use decodeHeader() if payload follows it',
  v1_too_long: 'a version 1 line must end with CR LF within its first 107 bytes',
  v1_protocol: '"PROXY " must be followed by TCP4, TCP6 or UNKNOWN in capitals',
  v1_separator: 'the fields of a version 1 line must be separated by exactly one space',
  v1_address:
    'an address must be four decimal octets without leading zeros after TCP4, and IPv6 without a zone after TCP6',
  v1_family_mismatch:
    'both addresses must be of the family that the line announces; the library takes IPv4 after TCP6 with mixedFamilies: "promote"',
  v1_port: 'a port must be a decimal number from 0 to 65535 without leading zeros',
  v1_line_end: 'a version 1 line must end with CR LF right after the destination port',
  v2_version: 'the version after the signature must be 2',
  v2_command: 'the command must be LOCAL (0) or PROXY (1)',
  v2_family: 'the address family must be UNSPEC (0), INET (1), INET6 (2) or UNIX (3)',
  v2_transport: 'the transport must be UNSPEC (0), STREAM (1) or DGRAM (2)',
  v2_length:
    'the announced length must be at least that of the addresses: 12 for INET, 36 for INET6, 216 for UNIX',
  tlv_overrun: 'the length of a TLV must not exceed the bytes that the header has left',
  tlv_stray: 'the TLVs must fill the header exactly, but one or two bytes are left after the last',
  checksum_length: 'a CRC-32C TLV must hold exactly 4 bytes',
  checksum_duplicate: 'a header must carry at most one CRC-32C TLV',
  checksum_mismatch: 'the CRC-32C checksum must match the bytes of the header',
  unique_id_length: 'a unique id must have at most 128 bytes',
  ssl_length: 'an SSL TLV must hold at least 5 bytes',
  ssl_overrun: 'the sub-TLVs of an SSL TLV must fill it exactly',
  done: 'the connection is closed',
  probe: 'the peer closed without sending a byte',
  client_reset: 'the client reset the connection',
  upstream_reset: 'the upstream reset the connection',
  idle_timeout: 'nothing was sent or received for too long',
  half_close_timeout: 'the peer did not close its side in time',
  header_timeout: 'no complete header arrived in time',
  header_missing: 'the connection does not start with a PROXY protocol header',
  header_invalid: 'the PROXY protocol header is malformed',
  untrusted_peer: 'the peer is not trusted to send a PROXY protocol header',
  denied_acl: 'the source address is not allowed',
  denied_dnsbl: 'the source address is listed in a DNSBL',
  limit_connections: 'too many connections',
  limit_source: 'too many connections from one source',
  limit_rate: 'too many new connections',
  limit_fds: 'the process has no file descriptor left',
  tls_client_error: 'TLS with the client failed',
  tls_upstream_error: 'TLS with the upstream failed',
  dns_error: 'the upstream name could not be resolved',
  connect_refused: 'the upstream refused the connection',
  connect_timeout: 'the upstream did not accept the connection in time',
  connect_error: 'the connection to the upstream failed',
  no_upstream: 'no upstream is available',
  limit_upstream: 'every upstream has as many connections as it may, and the queue for them is full',
  queue_timeout: 'no upstream had room for one more connection in time',
  upstream_removed: 'the upstream was removed and the connection did not end in time',
  handler_error: 'the connection handler failed',
  drain_deadline: 'the server was closed and the connection did not end in time',
  aborted: 'the connection was aborted by the program',
} as const

/** A code of `errorMessages`; see docs/errors.md. */
export type ErrorCode = keyof typeof errorMessages

/** What `ProxyProtocolError` takes besides its code. */
export interface ProxyProtocolErrorOptions {
  /** Offset in bytes from the start of the input. */
  readonly offset?: number | undefined
  /** Appended to the message after a colon. */
  readonly detail?: string | undefined
  readonly cause?: unknown
}

/**
 * A fault in a header or the reason why a connection ended; see `code`.
 *
 * @example
 * ```ts run
 * import { parseHeader, ProxyProtocolError } from 'proxyprotocol'
 *
 * try {
 *   parseHeader(new TextEncoder().encode('GET / HTTP/1.1\r\n'))
 * } catch (error) {
 *   if (error instanceof ProxyProtocolError) console.log(error.code, error.offset) // header_missing 0
 * }
 * ```
 */
export class ProxyProtocolError extends Error {
  override readonly name = 'ProxyProtocolError' as const
  readonly code: ErrorCode
  /** Offset in bytes of the first wrong byte; undefined if no single byte is wrong. */
  readonly offset: number | undefined

  constructor(code: ErrorCode, options: ProxyProtocolErrorOptions = {}) {
    const where = options.offset === undefined ? '' : ` (at byte ${String(options.offset)})`
    const detail = options.detail === undefined ? '' : `: ${options.detail}`
    super(errorMessages[code] + where + detail, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.offset = options.offset
  }

  /** True for errors of another copy, too: `import` and `require` load two. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== ProxyProtocolError) return super[Symbol.hasInstance](value) // a subclass
    return value instanceof Error && value.name === 'ProxyProtocolError'
  }
}
