// The last wait of a socket that has ended on our side. A reset would make the kernel drop what a slow peer has yet to read.

import type { Socket } from 'node:net'
import { rawOf, unsentBytes } from '../../node-internals/index.ts'
import { reset } from './reset.ts'

/** Calls back when a socket is still open after `timeout` milliseconds in which its peer has taken nothing. */
export function limitHalfClose(socket: Socket, timeout: number, onTimeout: () => void): void {
  let before = unsent(socket)
  let timer = setTimeout(look, timeout).unref()
  function look(): void {
    const left = unsent(socket)
    if (left >= before) return onTimeout()
    before = left
    timer = setTimeout(look, timeout).unref()
  }
  socket.once('close', () => clearTimeout(timer))
}

/** Closes a socket that has ended: what the kernel has still arrives. If the peer has not taken the rest, it must notice. */
export function closeOrReset(socket: Socket): void {
  if (socket.writableFinished) socket.destroy()
  else reset(socket)
}

/** Bytes that the kernel has yet to take, those that wait in the stream included. */
function unsent(socket: Socket): number {
  return socket.writableLength + unsentBytes(rawOf(socket))
}
