// A client that sends a header and speaks TLS behind it, over a socket that the test keeps as well: it resets, breaks and
// watches the connection below TLS.

import type { Socket } from 'node:net'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { certificate } from 'test-support/certificates'
import { noticeReset } from '../../src/server/socket/truncation.ts'
import { V2 } from './headers.ts'
import type { Harness } from './harness.ts'

export interface SecureClient {
  readonly secure: TLSSocket
  readonly raw: Socket
}

/** Dials, sends V2, and starts TLS with a server that has `certificate`; half-open, as the socket is. */
export function dialSecure(
  harness: Harness,
  where: number | string,
  options: Omit<ConnectionOptions, 'socket'> = {},
): SecureClient {
  const raw = harness.dial(where)
  raw.write(V2)
  return secureOver(harness, raw, options)
}

/** Starts TLS on a socket that has sent its header. */
export function secureOver(
  harness: Harness,
  raw: Socket,
  options: Omit<ConnectionOptions, 'socket'> = {},
): SecureClient {
  const secure = connect({ ca: certificate.cert, servername: 'localhost', ...options, socket: raw })
  harness.defer(() => secure.destroy())
  // Node before 24 takes an RST that comes together with data for an end, also here.
  secure.once('end', () => {
    noticeReset(raw)
  })
  return { secure: secure.on('error', () => {}), raw }
}
