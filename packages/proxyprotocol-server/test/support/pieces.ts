// A random conversation: pieces of any size, with pauses, and a reader that stops now and then.

import { createHash, randomInt } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { MEBIBYTE, random } from './connections.ts'

/** Sends random pieces, some of them larger than any buffer, with pauses; resolves with the hash of all. */
export async function sendPieces(socket: Socket, bytes: number): Promise<string> {
  const hash = createHash('sha256')
  for (let left = bytes; left > 0;) {
    const piece = random(Math.min(left, randomInt(2) ? randomInt(1, 100) : randomInt(1, MEBIBYTE)))
    left -= piece.length
    hash.update(piece)
    if (!socket.write(piece)) await once(socket, 'drain')
    if (randomInt(4) === 0) await turn()
  }
  socket.end()
  return hash.digest('hex')
}

/** Reads to the end, and now and then stops for some turns; resolves with the hash of all. */
export async function readPieces(socket: Socket): Promise<string> {
  const hash = createHash('sha256')
  let toStop = 0
  socket.on('data', (bytes: Buffer) => {
    hash.update(bytes)
    toStop -= bytes.length
    if (toStop > 0) return
    toStop = randomInt(4 * MEBIBYTE)
    socket.pause()
    void stay(randomInt(50)).then(() => socket.resume())
  })
  await once(socket, 'end')
  return hash.digest('hex')
}

async function stay(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await turn()
}
