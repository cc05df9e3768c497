// The socket below TLS: `_parent`, or the handle's `_parentWrap`. Without both, TLS shows its own addresses.

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { handleOf } from './handle.ts'

export function rawOf(socket: Socket): Socket {
  return parentOf(socket) ?? socket
}

/** Undefined without TLS. */
export function beneath(socket: Duplex): Duplex | undefined {
  const wrap = handleOf(socket)?._parentWrap as (Duplex & { readonly stream?: Duplex }) | undefined // Node's own class
  return parentOf(socket) ?? wrap?.stream ?? wrap
}

function parentOf(socket: Duplex): Socket | null | undefined {
  return (socket as { readonly _parent?: Socket | null })._parent
}
