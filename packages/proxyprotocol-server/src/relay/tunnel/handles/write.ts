// Writes to a handle. libuv keeps a request, and reads its bytes later, unless the kernel took all of them at once. So
// only a request of a write that is done is used again.

import { nodeTcp, type TcpHandle, type WriteRequest } from './node-tcp.ts'

/** What a write reports to, if the kernel did not take all bytes at once. */
export interface Writer {
  onWritten(status: number): void
}

interface OwnRequest extends WriteRequest {
  writer: Writer | undefined
  /** Kept until libuv has written them. */
  bytes: Uint8Array | undefined
}

export const DONE = 0
/** Errors are negative. */
export const PENDING = 1

let spare: WriteRequest | undefined

export function write(handle: TcpHandle, bytes: Uint8Array, writer: Writer): number {
  const { WriteRequest: Made } = nodeTcp()
  if (Made === undefined) return writeNew(handle, bytes, writer)
  const request = (spare ??= new Made())
  const status = handle.writeBuffer(request, bytes) as number // given a request it returns a status
  if (status !== 0) return status
  if (request.getAsyncId() === -1) return DONE
  spare = undefined
  wait(request, bytes, writer)
  return PENDING
}

/** The handle makes a request if it needs one. */
export function writeNew(handle: TcpHandle, bytes: Uint8Array, writer: Writer): number {
  const request = handle.writeBuffer(null, bytes)
  if (typeof request === 'number') return request
  const { writeStatus } = request
  if (typeof writeStatus === 'number') return writeStatus
  wait(request, bytes, writer)
  return PENDING
}

function wait(request: WriteRequest, bytes: Uint8Array, writer: Writer): void {
  const own = request as OwnRequest // its two fields are set here
  own.writer = writer
  own.bytes = bytes
  own.oncomplete = onComplete
}

function onComplete(this: OwnRequest, status: number): void {
  const { writer } = this
  this.writer = this.bytes = undefined
  writer?.onWritten(status)
}
