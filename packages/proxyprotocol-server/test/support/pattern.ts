// Streams of known bytes, to be sent and checked without being kept: a block of random bytes over and over.

import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'

/** Odd, so that the block's edges fall differently into every read. */
const BLOCK = 1_048_573

/** Twice the block: any part of the stream that is no longer than the block stands in it as a whole. */
const twice = Buffer.alloc(2 * BLOCK, randomBytes(BLOCK))

/** Sends so many bytes, as the other side takes them, and ends. */
export function sendPattern(socket: Socket, length: number): void {
  let sent = 0
  function onDrain(): void {
    while (sent < length) {
      const at = sent % BLOCK
      const piece = twice.subarray(at, at + Math.min(BLOCK, length - sent))
      sent += piece.length
      if (!socket.write(piece)) return
    }
    socket.end()
  }
  socket.on('drain', onDrain)
  onDrain()
}

/** Reads to the end; resolves with how many bytes came if they are those that were sent, and otherwise with what is wrong. */
export function checkPattern(socket: Socket): Promise<number | string> {
  let received = 0
  let wrong: string | undefined
  return new Promise(resolve => {
    socket
      .on('data', (chunk: Buffer) => {
        const at = received % BLOCK
        if (!twice.subarray(at, at + chunk.length).equals(chunk)) wrong ??= `wrong from byte ${received} on`
        received += chunk.length
      })
      .on('end', () => resolve(wrong ?? received))
      .on('error', ({ message }) => resolve(`${message} after ${received} bytes`))
      .resume()
  })
}
