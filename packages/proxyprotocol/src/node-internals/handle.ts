// The handle of a socket is libuv's side of it: `socket._handle`, in every line of Node. Other runtimes have none or another
// kind, so each question has an answer for a handle that lacks the method. A closed socket has no handle.

import type { Duplex } from 'node:stream'

/** Every member is missing somewhere. */
export interface Handle {
  /** Node sets it while it wants data. */
  readonly reading?: boolean
  /** Bytes that the kernel has not taken yet. */
  readonly writeQueueSize?: number
  /** Bytes that were given to libuv. */
  readonly bytesWritten?: number
  /** Called with what was read. */
  onread?: () => void
  readStart?(): number
  readStop?(): number
  /** Fills in the peer's address; anything but 0 is an error. TCP handles alone have it. */
  getpeername?(out: object): number
  useUserBuffer?(buffer: Uint8Array): unknown
  /** For TLS over a stream that is not a socket: a socket around that stream. */
  readonly _parentWrap?: object
}

export function handleOf(socket: Duplex): Handle | null | undefined {
  return (socket as { _handle?: Handle | null })._handle
}

/**
 * Whether the kernel has a peer for a TCP socket. It has none once the connection was reset, has timed out, or has ended on both
 * sides. Node tells a reset from an end only by what a later read or write fails with.
 */
export function hasPeer(socket: Duplex): boolean {
  return handleOf(socket)?.getpeername?.({}) === 0
}

/** Bytes that the kernel has yet to take, those of a write under way included; 0 where a runtime does not tell. */
export function unsentBytes(socket: Duplex): number {
  return handleOf(socket)?.writeQueueSize ?? 0
}

/** Bytes that the kernel has taken; undefined where a runtime does not tell. `socket.bytesWritten` counts those that wait, too. */
export function bytesTaken(socket: Duplex): number | undefined {
  const { bytesWritten, writeQueueSize = 0 } = handleOf(socket) ?? {}
  return bytesWritten === undefined ? undefined : bytesWritten - writeQueueSize
}

/** Whether Node wants data of a socket; undefined where a runtime does not tell. */
export function isReading(socket: Duplex): boolean | undefined {
  return handleOf(socket)?.reading
}

/**
 * Makes libuv read a socket again after an end: the next read gives the end again, or an error. Node has no public way
 * to do this.
 *
 * @returns false if libuv reads the socket anyway, because it refuses to start twice; also if the runtime does not
 * tell.
 */
export function readAgain(socket: Duplex): boolean {
  const handle = handleOf(socket)
  if (handle?.readStart?.() !== 0) return false
  if (handle.readStart() !== 0) return true
  handle.readStop?.()
  return false
}

/** Stops what `readAgain` has started. */
export function stopReading(socket: Duplex): void {
  handleOf(socket)?.readStop?.()
}

/** Drops what is read from now on. Node would not look at a socket's state before it pushes. */
export function dropReads(socket: Duplex): void {
  const handle = handleOf(socket)
  if (handle) handle.onread = () => undefined
}
