// Limits how long a socket that has ended on our side waits for its peer.

import type { Socket } from 'node:net'
import { rawOf, unsentBytes } from '../../node-internals/index.ts'
import { reset } from './reset.ts'

/**
 * Calls back after `timeout` milliseconds in which the peer took no byte. A reset at once would make the kernel drop
 * what a slow peer has yet to read.
 */
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
