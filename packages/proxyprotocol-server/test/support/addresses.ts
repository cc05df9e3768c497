// Addresses as parseAddress() returns them.

import type { Address, AddressOptions, PpMode } from '../../src/config/index.ts'

export const LISTEN: AddressOptions = { role: 'listen' }
export const UPSTREAM: AddressOptions = { role: 'upstream' }

export function address(host: string | undefined, port: number, pp?: PpMode): Address {
  return { transport: 'tcp', host, port, pp, tls: undefined }
}

export function unix(path: string, pp?: PpMode): Address {
  return { transport: 'unix', path, pp, tls: undefined }
}
