// A header as plain data, in the specification's words.

import type { Tlv } from './tlv/index.ts'

/** 1 is text, 2 is binary. */
export type Version = 1 | 2
/** `PROXY` is for a client's connection, `LOCAL` for the sender's own, such as a health check (spec 2.2). */
export type Command = 'LOCAL' | 'PROXY'
/** IPv4, IPv6, UNIX sockets, or unknown (spec 2.2). */
export type Family = 'INET' | 'INET6' | 'UNIX' | 'UNSPEC'
/** TCP or a UNIX stream, UDP or UNIX datagrams, or unknown (spec 2.2). */
export type Transport = 'STREAM' | 'DGRAM' | 'UNSPEC'

/** One end of a TCP or UDP connection; the address in canonical text (dotted decimal or RFC 5952). */
export interface InetEndpoint {
  readonly address: string
  /** 0 to 65535; 0 is legal on the wire. */
  readonly port: number
}

/**
 * One end of a UNIX socket. The path is text if it is NUL-padded UTF-8 (an abstract name starts with `\0`),
 * otherwise all 108 bytes.
 */
export interface UnixEndpoint {
  readonly path: string | Uint8Array
}

/** One end of the original connection. */
export type Endpoint = InetEndpoint | UnixEndpoint

/** The proxy speaks for itself (a health check): use the socket's addresses (spec 2.2). */
export interface LocalHeader {
  readonly version: 2
  readonly command: 'LOCAL'
  readonly family: 'UNSPEC'
  readonly transport: 'UNSPEC'
  readonly tlvs: readonly Tlv[]
  /** The bytes after the fixed 16, as received. */
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

/** From an unknown client (`PROXY UNKNOWN` in version 1): use the socket's addresses. */
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
