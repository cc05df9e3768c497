// A check over UDP: a datagram, and what the answer must contain.

import { once } from 'node:events'
import { encodeDatagram, encodeSpp, type InetEndpoint } from 'proxyprotocol'
import type { ActiveCheck, SentHeader } from '../../../config/index.ts'
import { connectedSocket, datagramFault } from '../datagram-socket.ts'
import { CheckFault, mismatch, quote } from './check-fault.ts'

export interface DatagramTarget {
  readonly to: InetEndpoint
  readonly source: string | undefined
  readonly header: SentHeader
}

/** @throws CheckFault or ProxyProtocolError */
export async function checkDatagram(
  { to, source, header }: DatagramTarget,
  { send, expect, timeout, header: isHeaded }: ActiveCheck,
  signal: AbortSignal,
): Promise<void> {
  const socket = await connectedSocket(to, source)
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout)])
  try {
    const answer = once(socket, 'message', { signal: limit }) // rejects with an 'error' of the socket as well
    socket.send(headed(isHeaded ? header : 'none', { source: socket.address(), destination: to }, send))
    const [bytes] = (await answer) as [Buffer]
    if (bytes.indexOf(expect) === -1) throw mismatch(quote(Buffer.from(expect)), quote(bytes))
  } catch (error) {
    if (limit.aborted) throw mismatch(quote(Buffer.from(expect)), `no answer within ${String(timeout)} ms`)
    throw error instanceof CheckFault ? error : datagramFault(error as Error) // of the socket
  } finally {
    socket.on('error', () => undefined).close()
  }
}

/** Spectrum's header has no way to name no client, so it names the check. */
function headed(
  header: SentHeader,
  ends: { readonly source: InetEndpoint; readonly destination: InetEndpoint },
  payload: Uint8Array,
): Uint8Array {
  if (header === 'none') return payload
  return header === 'spp' ? encodeSpp(ends, payload) : encodeDatagram({ command: 'LOCAL' }, payload)
}
