// A TLS stream is complete at its close_notify (RFC 8446 section 6.1). Node also takes a lone FIN for the end, which
// an attacker can send.

import type { Socket } from 'node:net'
import { isReading, readAgain, stopReading, unsentBytes } from '../../node-internals/index.ts'

/** The code of OpenSSL when it reads the socket itself. */
const CODE = 'ERR_SSL_UNEXPECTED_EOF_WHILE_READING'

/** After a reset that Node takes for a FIN, the error is that of writing. */
export function refuseTruncation(secure: Socket, raw: Socket): void {
  const push = secure.push.bind(secure)
  let state: 'open' | 'in doubt' | 'complete' = 'open'
  secure.push = (chunk, encoding) => {
    if (chunk !== null || state === 'complete') return push(chunk, encoding)
    // Node ends the stream at the close_notify and again at the FIN, perhaps within one call.
    if (state === 'in doubt' || !isAtFin(secure, raw)) {
      state = 'complete'
      return push(null)
    }
    state = 'in doubt'
    setImmediate(() => {
      if (state === 'in doubt') cutOff(secure, raw)
    })
    return false
  }
}

/**
 * Asked while Node ends the stream: libuv reads on after a close_notify. A paused socket cannot have read its FIN.
 */
function isAtFin(secure: Socket, raw: Socket): boolean {
  if (isReading(secure) !== true || !readAgain(raw)) return false
  stopReading(raw)
  return true
}

/**
 * An empty write sends nothing, but fails after a reset. Behind other writes below TLS, Node would take its end for
 * theirs and corrupt the next bytes.
 */
export function noticeReset(raw: Socket): void {
  if (unsentBytes(raw) === 0) raw.write('')
}

function cutOff(secure: Socket, raw: Socket): void {
  const message = 'the TLS stream was cut off: it ended without close_notify'
  const truncation = Object.assign(new Error(message), { code: CODE })
  // Writing fails at once after a reset, or within this turn if other writes wait.
  if (secure.writable) noticeReset(raw)
  setImmediate(() => secure.destroy(raw.errored ?? truncation))
}
