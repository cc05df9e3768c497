// What a TLS socket runs over. A TLS socket keeps the socket that it was made of as `_parent`. TLS over a stream that is no socket
// has a handle whose `_parentWrap` is a socket around that stream. Without them a TLS socket shows what it says itself.

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { handleOf } from './handle.ts'

/** The socket under a TLS socket; any other socket itself. */
export function rawOf(socket: Socket): Socket {
  return parentOf(socket) ?? socket
}

/** What a socket runs over; undefined for one that is no TLS socket. */
export function beneath(socket: Duplex): Duplex | undefined {
  const wrap = handleOf(socket)?._parentWrap as (Duplex & { readonly stream?: Duplex }) | undefined // Node's own class
  return parentOf(socket) ?? wrap?.stream ?? wrap
}

function parentOf(socket: Duplex): Socket | null | undefined {
  return (socket as { readonly _parent?: Socket | null })._parent
}
