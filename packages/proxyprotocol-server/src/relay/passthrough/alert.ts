import type { Socket } from 'node:net'
import { finished } from 'node:stream/promises'

/** A fatal alert in a record of its own (RFC 8446 section 6); 112 is `unrecognized_name` (RFC 6066 section 3). */
const UNRECOGNIZED_NAME = Uint8Array.of(21, 3, 3, 0, 2, 2, 112)

/** Sends the alert, and waits for the client's end: a reset right behind it could overtake it. Never rejects. */
export async function sendUnrecognizedName(
  socket: Socket,
  { signal, timeout }: { readonly signal: AbortSignal; readonly timeout: number },
): Promise<void> {
  const given = AbortSignal.any([signal, AbortSignal.timeout(timeout)])
  await finished(socket.end(UNRECOGNIZED_NAME).resume(), { signal: given }).catch(() => undefined)
}
