// Connections on handles, which a plane serves without sockets: admitted and counted as the others.

import type { ProxyProtocolError } from '../../../codec/index.ts'
import {
  type AcceptedHandle,
  type HandlePlane,
  type HandleServer,
  type HandleTaker,
  planeKey,
} from '../../../node-internals/index.ts'
import type { Admission } from '../../admission/index.ts'
import { type ConnectionInfo, infoOfHandle } from '../../socket/index.ts'
import type { ConnectionOwner } from '../connection-owner.ts'
import type { Connection } from '../connection.ts'
import type { Watched } from '../idle-watch.ts'
import type { Roster } from './roster.ts'

export interface Rejectable extends Connection {
  /** False if it was over already. */
  reject(error: ProxyProtocolError, byReset: boolean): boolean
}

/** What the connections of a plane have beside those on sockets. */
interface HandleConnection extends Rejectable, Watched {
  abort: Connection['abort']
  hasSlot: boolean
  served: boolean
  open(): void
  once(event: 'close', listener: () => void): unknown
}

type Plane = HandlePlane<HandleConnection, ConnectionInfo>

export interface IntakeServer {
  readonly owner: ConnectionOwner
  readonly admission: Admission
  readonly roster: Roster
  reject(connection: Rejectable, error: ProxyProtocolError): void
}

/** Undefined without a plane, which only the relay gives. */
export function takerFor(options: object, server: IntakeServer): HandleTaker | undefined {
  const { [planeKey]: plane } = options as { readonly [planeKey]?: Plane } // only the relay knows the key
  if (plane === undefined) return undefined
  const intake = new HandleIntake(plane, server)
  return handle => intake.take(handle)
}

class HandleIntake {
  readonly #plane: Plane
  readonly #server: IntakeServer
  readonly #forConnections: HandleServer<HandleConnection>

  constructor(plane: Plane, server: IntakeServer) {
    this.#plane = plane
    this.#server = server
    const { owner, roster } = server
    this.#forConnections = { ...owner, closed: connection => roster.release(connection, connection) }
  }

  take(handle: AcceptedHandle): boolean {
    if (!this.#plane.isReady) return false
    const { owner, admission, roster } = this.#server
    const connection = this.#plane.accept(handle, infoOfHandle(handle), this.#forConnections)
    connection.hasSlot = roster.hold(connection)
    const refusal = connection.hasSlot
      ? admission.refusalOf(connection, cause => owner.report(cause, connection))
      : roster.full()
    if (refusal) {
      this.#server.reject(connection, refusal)
      return true
    }
    roster.tally.opened(connection)
    connection.served = true
    connection.open()
    return true
  }
}
