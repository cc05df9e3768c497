// What reads bytes in front of a program, or hands them to TLS, cannot take text.

import { checkObject } from '../../checks/index.ts'

/** @throws TypeError for anything but a socket without an encoding. */
export function checkGivesBytes(socket: unknown, name = 'socket'): void {
  checkObject(socket, name)
  const { readableEncoding } = socket as { readableEncoding?: string | null } // streams alone have one
  if (!readableEncoding) return
  throw new TypeError(`${name} must give bytes, got one with the encoding ${readableEncoding}`)
}
