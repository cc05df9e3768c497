import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { canReadInto } from '../../node-internals/index.ts'
import { isAccepted } from '../socket/index.ts'
import { ExactReader, type ExactRules } from './exact-reader.ts'
import { PullingReader } from './pulling-reader.ts'
import type { StartWaiter } from './start-reader.ts'

/** The start of an accepted socket: exactly if it can read into our buffers, else pulled from the stream. */
export function takeStart(socket: Socket, rules: ExactRules, waiter: StartWaiter): void {
  const isExact = isUntouched(socket) && (isAccepted(socket) || canReadInto(socket))
  const reader = isExact ? new ExactReader(socket, rules, waiter) : new PullingReader(socket, rules, waiter)
  reader.start()
}

function isUntouched(socket: Socket): boolean {
  return (
    socket instanceof Socket &&
    !(socket instanceof TLSSocket) && // TLS fills the buffer of a stopped read on
    socket.readableLength === 0 &&
    !socket.readableEnded
  )
}
