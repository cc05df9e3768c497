// The arguments of send(), with or without offset and length.

import { integer } from '../checks/index.ts'
import type { Message, SendCallback } from './datagram-info.ts'

export function portIndex(args: readonly unknown[]): number {
  return typeof args[4] === 'string' ? 3 : 1
}

export function callbackAt(args: readonly unknown[], at: number): SendCallback | undefined {
  return typeof args[at] === 'function' ? (args[at] as SendCallback) : undefined // Node's own
}

export function messageOf(args: readonly unknown[], portAt: number): Message {
  return (portAt === 3 ? slice(args) : args[0]) as Message // Node checks it when it is sent
}

/** Throws outside the message's bytes, as Node does. */
function slice([message, offset, length]: readonly unknown[]): unknown {
  const bytes = typeof message === 'string' ? Buffer.from(message) : message
  if (!ArrayBuffer.isView(bytes)) return bytes
  const [start, size] = [Number(offset), Number(length)]
  integer(start, [0, bytes.byteLength], 'offset')
  integer(size, [0, bytes.byteLength - start], 'length')
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, size)
}

export function withHead(head: Uint8Array, message: Message): Message {
  return [head, ...(isList(message) ? message : [message])]
}

/** `Array.isArray()` does not know read-only arrays. */
function isList(message: Message): message is Extract<Message, readonly unknown[]> {
  return Array.isArray(message)
}
