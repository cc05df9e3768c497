// A TLS stream is complete when its close_notify has come (RFC 8446 section 6.1). A FIN alone may come from an attacker
// on the path or a dead process, and Node takes it for the end.

import type { Socket } from 'node:net'
import { isReading, readAgain, stopReading, unsentBytes } from '../../node-internals/index.ts'

/** OpenSSL's own code for it, which it says where it reads the socket itself; Node's TLS gives it the bytes. */
const CODE = 'ERR_SSL_UNEXPECTED_EOF_WHILE_READING'

/**
 * Makes the end of a TLS stream without a close_notify an error: `ERR_SSL_UNEXPECTED_EOF_WHILE_READING`. If it was a
 * reset that Node takes for a FIN, the error is that of writing.
 */
export function refuseTruncation(secure: Socket, raw: Socket): void {
  const push = secure.push.bind(secure)
  let state: 'open' | 'in doubt' | 'complete' = 'open'
  secure.push = (chunk, encoding) => {
    if (chunk !== null || state === 'complete') return push(chunk, encoding)
    // Node ends the stream once for the close_notify and once for the FIN, both within one call if it reads them
    // together.
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
 * Whether libuv has come to the FIN, asked at the very moment that Node ends the stream. At a close_notify it reads on. A paused
 * socket tells nothing: its FIN cannot have been read.
 */
function isAtFin(secure: Socket, raw: Socket): boolean {
  if (isReading(secure) !== true || !readAgain(raw)) return false
  stopReading(raw)
  return true
}

/**
 * Makes a reset that Node takes for a FIN an error: an empty write sends nothing, but fails. Waiting writes fail by
 * themselves. Below TLS nothing may be written behind them. Node would take its end for the end of TLS's own write, and
 * corrupt the next bytes.
 */
export function noticeReset(raw: Socket): void {
  if (unsentBytes(raw) === 0) raw.write('')
}

function cutOff(secure: Socket, raw: Socket): void {
  const message = 'the TLS stream was cut off: it ended without close_notify'
  const truncation = Object.assign(new Error(message), { code: CODE })
  // After a reset writing fails: at once, or where writes are waiting already, within this turn of the event loop.
  if (secure.writable) noticeReset(raw)
  setImmediate(() => secure.destroy(raw.errored ?? truncation))
}
