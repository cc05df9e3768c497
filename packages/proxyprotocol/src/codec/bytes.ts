// Reads and copies of bytes without bound checks.

import { quote } from '../checks/index.ts'

/** Up to here a loop is faster than `set`. */
const MAX_LOOP_BYTES = 64

export function checkBytes(value: unknown, field: string): void {
  if (!(value instanceof Uint8Array))
    throw new TypeError(`${field} must be a Uint8Array, got ${quote(value)}`)
}

/** The caller has checked that `at < bytes.length`. */
export function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number // by the caller's check
}

export function uint16At(bytes: Uint8Array, at: number): number {
  return (byteAt(bytes, at) << 8) | byteAt(bytes, at + 1)
}

export function uint32At(bytes: Uint8Array, at: number): number {
  return uint16At(bytes, at) * 0x10000 + uint16At(bytes, at + 2)
}

/** Signed, which is cheaper to compare. */
export function int32At(bytes: Uint8Array, at: number): number {
  return (uint16At(bytes, at) << 16) | uint16At(bytes, at + 2)
}

export function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  writeUint16(bytes, at, value >>> 16)
  writeUint16(bytes, at + 2, value & 0xffff)
}

/** A view would keep a socket's whole 64 KiB read buffer alive (netty#9201). */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start)
  if (copy.length > MAX_LOOP_BYTES) copy.set(bytes.subarray(start, end))
  else for (let i = start; i < end; i++) copy[i - start] = byteAt(bytes, i)
  return copy
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
