// The socket below a TLS socket: `_parent`, or for TLS over another stream the handle's `_parentWrap`. Without both,
// a TLS socket shows its own addresses.

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { handleOf } from './handle.ts'

export function rawOf(socket: Socket): Socket {
  return parentOf(socket) ?? socket
}

/** Undefined for anything but a TLS socket. */
export function beneath(socket: Duplex): Duplex | undefined {
  const wrap = handleOf(socket)?._parentWrap as (Duplex & { readonly stream?: Duplex }) | undefined // Node's own class
  return parentOf(socket) ?? wrap?.stream ?? wrap
}

function parentOf(socket: Duplex): Socket | null | undefined {
  return (socket as { readonly _parent?: Socket | null })._parent
}
