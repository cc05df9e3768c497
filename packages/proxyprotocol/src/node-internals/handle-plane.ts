// How a server gives handles away, to be served without sockets.

import type { AcceptedHandle } from './accept.ts'

export const planeKey: unique symbol = Symbol('proxyprotocol.plane')

export interface HandlePlane<C, I> {
  /** Asked for each connection; false leaves it to a socket. */
  readonly isReady: boolean
  accept(handle: AcceptedHandle, info: I, server: HandleServer<C>): C
}

export interface HandleServer<C> {
  isDraining(): boolean
  /** Milliseconds. */
  setIdleTimeout(connection: C, timeout: number): void
  /** Called once. */
  closed(connection: C): void
  report(error: unknown, connection: C): void
}
