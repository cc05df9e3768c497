// On Node 26 read() without a size returns only the first chunk. It also ends a stream whose FIN has come.

import type { Socket } from 'node:net'

export function readBuffered(socket: Socket): Buffer | null {
  const first = readChunk(socket)
  if (first === null || socket.readableLength === 0) return first
  const chunks = [first]
  for (let chunk = readChunk(socket); chunk !== null; chunk = readChunk(socket)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** A read of more than the high-water mark would make Node raise it. */
function readChunk(socket: Socket): Buffer | null {
  const { readableLength, readableHighWaterMark } = socket
  if (readableLength === 0) return null
  const size = Math.min(readableLength, Math.max(readableHighWaterMark, 1))
  return socket.read(size) as Buffer // so many are there, and without an encoding they are bytes
}
