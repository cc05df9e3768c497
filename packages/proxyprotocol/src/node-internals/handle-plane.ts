// How a server gives accepted handles away, to be served without sockets. Its name is a symbol, because it is internal.

import type { AcceptedHandle } from './accept.ts'

export const planeKey: unique symbol = Symbol('proxyprotocol.plane')

/** Serves connections of the kind `C`, about which `I` is known. */
export interface HandlePlane<C, I> {
  /** Asked for each connection; false leaves them to sockets. */
  readonly isReady: boolean
  accept(handle: AcceptedHandle, info: I, server: HandleServer<C>): C
}

/** What such a connection needs of its server. */
export interface HandleServer<C> {
  isDraining(): boolean
  /** Milliseconds. */
  setIdleTimeout(connection: C, timeout: number): void
  /** Called once, when the connection is closed. */
  closed(connection: C): void
  report(error: unknown, connection: C): void
}
