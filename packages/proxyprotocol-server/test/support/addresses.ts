// Addresses as parseAddress() returns them.

import type { Address, AddressOptions } from '../../src/config/index.ts'

export const LISTEN: AddressOptions = { role: 'listen' }
export const UPSTREAM: AddressOptions = { role: 'upstream' }

export function address(host: string | undefined, port: number, pp?: Address['pp']): Address {
  return { transport: 'tcp', host, port, pp, tls: undefined }
}

export function unix(path: string, pp?: Address['pp']): Address {
  return { transport: 'unix', path, pp, tls: undefined }
}
