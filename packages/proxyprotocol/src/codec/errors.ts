// One table of codes for everything that can go wrong on the wire or end a connection; docs/errors.md mirrors it.

/**
 * Every code with its message. The first group are faults in a header's bytes, the second the reasons for which a
 * connection ends; stats, logs and metrics use the same words.
 */
export const errorMessages = {
  header_truncated: 'the input ends inside the header',
  header_too_long: 'the header is longer than the limit (maxHeaderBytes, limits.headerBytes of a server)',
  trailing_bytes: 'there are bytes after the header; decodeHeader() takes a header with payload behind it',
  v1_too_long: 'no CRLF within the 107 bytes that a version 1 line may have',
  v1_protocol: 'after "PROXY " only TCP4, TCP6 or UNKNOWN may stand, in capitals',
  v1_separator: 'fields of a version 1 line are separated by exactly one space',
  v1_address:
    'not an address of the announced family (TCP4: four decimal octets without leading zeros; TCP6: IPv6, no zone)',
  v1_family_mismatch:
    'the address is not of the announced family; mixedFamilies: "promote" accepts IPv4 in a TCP6 line',
  v1_port: 'a port is a decimal number from 0 to 65535 without leading zeros',
  v1_line_end: 'a version 1 line ends with CR LF right after the destination port',
  v2_version: 'the signature is followed by a version other than 2',
  v2_command: 'the command is neither LOCAL (0) nor PROXY (1)',
  v2_family: 'the address family is none of UNSPEC (0), INET (1), INET6 (2), UNIX (3)',
  v2_transport: 'the transport is none of UNSPEC (0), STREAM (1), DGRAM (2)',
  v2_length: 'the announced length is too small for the address family',
  tlv_overrun: 'a TLV claims more bytes than the header has left',
  tlv_stray: 'one or two bytes are left after the last TLV',
  checksum_length: 'a CRC-32C TLV holds exactly 4 bytes',
  checksum_duplicate: 'a header carries at most one CRC-32C TLV',
  checksum_mismatch: 'the CRC-32C checksum does not match the bytes of the header',
  unique_id_length: 'a unique id has at most 128 bytes',
  ssl_length: 'an SSL TLV holds at least 5 bytes',
  ssl_overrun: 'the sub-TLVs of an SSL TLV do not fit it exactly',
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
  handler_error: 'the connection handler failed',
  drain_deadline: 'the server was closed and the connection did not end in time',
  aborted: 'the connection was aborted by the program',
} as const

/** The literal union of all codes; see `errorMessages` and docs/errors.md. */
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
 * A fault in a header or the reason why a connection ended, told apart by `code`.
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
  /** Offset in bytes of the first byte that is wrong; undefined where no single byte is. */
  readonly offset: number | undefined

  constructor(code: ErrorCode, options: ProxyProtocolErrorOptions = {}) {
    const where = options.offset === undefined ? '' : ` (at byte ${String(options.offset)})`
    const detail = options.detail === undefined ? '' : `: ${options.detail}`
    super(errorMessages[code] + where + detail, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.offset = options.offset
  }
}
