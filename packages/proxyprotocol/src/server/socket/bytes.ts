// What reads bytes in front of a program, or hands them to TLS, cannot take text.

import type { Socket } from 'node:net'
import { checkObject } from '../../checks/index.ts'

/** @throws TypeError for anything but a socket without an encoding. */
export function checkGivesBytes(socket: unknown, name = 'socket'): void {
  checkObject(socket, name)
  const { readableEncoding } = socket as { readableEncoding?: string | null } // streams alone have one
  if (!readableEncoding) return
  throw new TypeError(`${name} must give bytes, got one with the encoding ${readableEncoding}`)
}

/**
 * Asks only for bytes that are there: after a FIN, read() without a size ends the stream, and nothing could be put
 * back. Above the mark, Node would raise it.
 */
export function readBuffered(socket: Socket): Buffer | null {
  const { readableLength, readableHighWaterMark } = socket
  const size = Math.min(readableLength, Math.max(readableHighWaterMark, 1))
  return socket.read(size) as Buffer | null // without an encoding it gives bytes
}
