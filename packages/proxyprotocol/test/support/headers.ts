// Headers as bytes for tests that are about sockets, and the addresses that they carry.

import { encodeHeader } from '../../src/codec/index.ts'

export const SOURCE: { readonly address: string; readonly port: number } = {
  address: '192.0.2.1',
  port: 56324,
}
export const DESTINATION: { readonly address: string; readonly port: number } = {
  address: '198.51.100.7',
  port: 443,
}

export const V1: Buffer = encode({ version: 1, source: SOURCE, destination: DESTINATION })
export const V2: Buffer = encode({ source: SOURCE, destination: DESTINATION })
export const LOCAL: Buffer = encode({ command: 'LOCAL' })
export const UNKNOWN: Buffer = encode({ version: 1, family: 'UNSPEC' })

export function encode(...header: Parameters<typeof encodeHeader>): Buffer {
  return Buffer.from(encodeHeader(...header))
}

/** A header for a client of its own: each number has another address and port. */
export function clientHeader(n: number): Buffer {
  return encode({ source: { address: `192.0.2.${(n % 254) + 1}`, port: 1024 + n }, destination: DESTINATION })
}
