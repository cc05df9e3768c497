// What a header says, as plain data: a union tagged by command and family, in the specification's words.

import type { Tlv } from './tlv/index.ts'

/** Version 1 is a line of text, version 2 is binary. */
export type Version = 1 | 2
/** `PROXY`: the connection belongs to a client; `LOCAL`: it is the sender's own, such as a health check (spec 2.2). */
export type Command = 'LOCAL' | 'PROXY'
/** The address family: IPv4, IPv6, UNIX sockets, or none that the sender could tell (spec 2.2). */
export type Family = 'INET' | 'INET6' | 'UNIX' | 'UNSPEC'
/** TCP or a UNIX stream socket, UDP or a UNIX datagram socket, or neither (spec 2.2). */
export type Transport = 'STREAM' | 'DGRAM' | 'UNSPEC'

/** One end of a TCP or UDP connection; the address in canonical text (dotted decimal, or RFC 5952). */
export interface InetEndpoint {
  readonly address: string
  /** 0 to 65535; 0 is legal on the wire. */
  readonly port: number
}

/**
 * One end of a UNIX socket. The path is text if the 108 bytes are NUL-padded UTF-8 (an abstract name starts with `\0`).
 * Otherwise it is all 108 bytes, so that nothing is lost.
 */
export interface UnixEndpoint {
  readonly path: string | Uint8Array
}

/** One end of the original connection. */
export type Endpoint = InetEndpoint | UnixEndpoint

/** The proxy speaks for itself (a health check): use the socket's own addresses (spec 2.2). */
export interface LocalHeader {
  readonly version: 2
  readonly command: 'LOCAL'
  readonly family: 'UNSPEC'
  readonly transport: 'UNSPEC'
  readonly tlvs: readonly Tlv[]
  /** The bytes after the fixed 16, as received; empty where there were none. */
  readonly block: Uint8Array
}

/** A TCP or UDP connection over IPv4 (`INET`) or IPv6 (`INET6`). */
export interface InetHeader {
  readonly version: Version
  readonly command: 'PROXY'
  readonly family: 'INET' | 'INET6'
  readonly transport: 'STREAM' | 'DGRAM'
  readonly source: InetEndpoint
  readonly destination: InetEndpoint
  /** In order, lossless, duplicates kept; always empty in version 1. */
  readonly tlvs: readonly Tlv[]
}

/** A connection over UNIX sockets. */
export interface UnixHeader {
  readonly version: 2
  readonly command: 'PROXY'
  readonly family: 'UNIX'
  readonly transport: 'STREAM' | 'DGRAM'
  readonly source: UnixEndpoint
  readonly destination: UnixEndpoint
  readonly tlvs: readonly Tlv[]
}

/** Proxied, but the sender could not say from where (`PROXY UNKNOWN` in version 1): use the socket's own addresses. */
export interface UnspecHeader {
  readonly version: Version
  readonly command: 'PROXY'
  readonly family: 'UNSPEC'
  readonly transport: 'UNSPEC'
  readonly tlvs: readonly Tlv[]
  /** The bytes after the fixed 16, as received; always empty in version 1. */
  readonly block: Uint8Array
}

/** A decoded header. */
export type ProxyHeader = LocalHeader | InetHeader | UnixHeader | UnspecHeader
