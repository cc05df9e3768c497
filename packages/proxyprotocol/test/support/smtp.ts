// What a client of a mail server says.

import { once } from 'node:events'
import type { Socket } from 'node:net'

/** Says a line and waits for the last line of the answer. */
export async function say(socket: Socket, line: string, code: number): Promise<void> {
  if (line !== '') socket.write(`${line}\r\n`)
  let answer = ''
  while (!new RegExp(`^${code} .*\r\n$`, 'm').test(answer)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    answer += String(chunk)
  }
}
