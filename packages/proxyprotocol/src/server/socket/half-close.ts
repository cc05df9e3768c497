// The last wait after our FIN. A reset would make the kernel drop what a slow peer has yet to read.

import type { Socket } from 'node:net'
import { rawOf, unsentBytes } from '../../node-internals/index.ts'
import { reset } from './reset.ts'

/** Calls back if a socket is still open after `timeout` milliseconds in which its peer took no byte. */
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

/** A peer that has not taken everything gets a reset, so that it notices the loss. */
export function closeOrReset(socket: Socket): void {
  if (socket.writableFinished) socket.destroy()
  else reset(socket)
}

function unsent(socket: Socket): number {
  return socket.writableLength + unsentBytes(rawOf(socket))
}
