// The arguments of a dgram socket's send(), which takes offset and length or leaves them out.

import { integer } from '../checks/index.ts'
import type { Message, SendCallback } from './datagram-info.ts'

export interface SendArguments {
  readonly message: Message
  readonly port: number
  readonly address: string
  readonly callback: SendCallback | undefined
}

/** Undefined without a port and an address: then Node knows what to do with them. */
export function sendArguments(args: readonly unknown[]): SendArguments | undefined {
  const isSliced = typeof args[4] === 'string'
  const [port, address, callback] = args.slice(isSliced ? 3 : 1)
  if (typeof address !== 'string') return undefined
  return {
    message: (isSliced ? slice(args) : args[0]) as Message, // Node checks it when it is sent
    port: Number(port),
    address,
    callback: typeof callback === 'function' ? (callback as SendCallback) : undefined,
  }
}

/** @throws RangeError outside the message's bytes, as Node does. */
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
