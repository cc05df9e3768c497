// Joins an accepted connection and its upstream connection: back-pressure, half-close and resets pass through.

import type { Socket } from 'node:net'
import { ProxyProtocolError } from '../../codec/index.ts'
import type { Connection } from '../lifecycle/index.ts'
import { distinguishResets, limitHalfClose } from '../socket/index.ts'

const FLUSH_TIMEOUT = 1_000

/** Resolves when the upstream socket is closed; never rejects. A reset of one side resets the other. */
export async function splice(connection: Connection, upstream: Socket): Promise<void> {
  const { socket, signal } = connection
  distinguishResets(upstream)
  const closed = new Promise(resolve => upstream.once('close', resolve))
  upstream.on('error', cause => {
    connection.abort(
      cause instanceof ProxyProtocolError ? cause : new ProxyProtocolError('upstream_reset', { cause }),
    )
  })
  function onAbort(): void {
    const { reason } = signal as { reason: ProxyProtocolError } // the connection's promise
    if (reason.code === 'done') limitHalfClose(upstream, FLUSH_TIMEOUT, onStalled)
    else upstream.destroy(reason)
  }
  function onStalled(): void {
    upstream.destroy(new ProxyProtocolError('half_close_timeout', { detail: 'the target does not read' }))
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  pump(socket, upstream)
  pump(upstream, socket)
  await closed
}

function pump(from: Socket, to: Socket): void {
  function onEnd(): void {
    to.end()
  }
  // A lone FIN while the upstream was connecting has ended the stream already.
  if (from.readableEnded) return onEnd()
  from.on('data', (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause()
  })
  from.on('end', onEnd)
  to.on('drain', () => from.resume())
}
