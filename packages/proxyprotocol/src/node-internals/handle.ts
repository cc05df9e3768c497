// `socket._handle`, in every line of Node. Other runtimes may lack each method.

import type { Duplex } from 'node:stream'

export interface Handle {
  readonly reading?: boolean
  readonly writeQueueSize?: number
  readonly bytesWritten?: number
  onread?: () => void
  readStart?(): number
  readStop?(): number
  /** TCP only; anything but 0 is an error. */
  getpeername?(out: object): number
  useUserBuffer?(buffer: Uint8Array): unknown
  /** For TLS over other streams. */
  readonly _parentWrap?: object
}

export function handleOf(socket: Duplex): Handle | null | undefined {
  return (socket as { _handle?: Handle | null })._handle
}

/**
 * False after a reset, a timeout or both ends. Node tells a reset from an end only when a later read or write
 * fails.
 */
export function hasPeer(socket: Duplex): boolean {
  return handleOf(socket)?.getpeername?.({}) === 0
}

/** Bytes that the kernel has not taken; 0 if unknown. */
export function unsentBytes(socket: Duplex): number {
  return handleOf(socket)?.writeQueueSize ?? 0
}

/** `socket.bytesWritten` also counts waiting bytes. Undefined if unknown. */
export function bytesTaken(socket: Duplex): number | undefined {
  const { bytesWritten, writeQueueSize = 0 } = handleOf(socket) ?? {}
  return bytesWritten === undefined ? undefined : bytesWritten - writeQueueSize
}

/** Undefined if unknown. */
export function isReading(socket: Duplex): boolean | undefined {
  return handleOf(socket)?.reading
}

/** After an end, the next read ends again, or fails. False if libuv refuses, or unknown. */
export function readAgain(socket: Duplex): boolean {
  const handle = handleOf(socket)
  if (handle?.readStart?.() !== 0) return false
  if (handle.readStart() !== 0) return true
  handle.readStop?.()
  return false
}

export function stopReading(socket: Duplex): void {
  handleOf(socket)?.readStop?.()
}

export function dropReads(socket: Duplex): void {
  const handle = handleOf(socket)
  if (handle) handle.onread = () => undefined
}
