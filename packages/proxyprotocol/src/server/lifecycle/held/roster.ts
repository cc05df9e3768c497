// The connections that a server has, from accept until their end: one set, with their slots, counters and idle times.

import { ProxyProtocolError } from '../../../codec/index.ts'
import { LiveSet } from '../../../node-internals/index.ts'
import { ConnectionSlots } from '../../admission/index.ts'
import { ConnectionTally } from '../connection-tally.ts'
import type { Connection } from '../connection.ts'
import { IdleWatch, type Watched } from '../idle-watch.ts'
import type { ServerSettings } from '../server-options.ts'

export type HeldConnection = Connection & Watched

/** How far a connection got. */
export interface Progress {
  readonly hasSlot: boolean
  readonly served: boolean
}

interface RosterOwner {
  readonly server: ConstructorParameters<typeof ConnectionTally>[0]
  readonly busiestSource: () => number
  readonly onEmpty: () => void
}

export class Roster {
  readonly held: LiveSet<HeldConnection> = new LiveSet<HeldConnection>()
  readonly idle: IdleWatch
  readonly slots: ConnectionSlots
  readonly tally: ConnectionTally
  readonly #whyFull: ServerSettings['whyFull']
  readonly #onEmpty: () => void

  constructor(
    { connections, idleTimeout, whyFull }: ServerSettings,
    { server, busiestSource, onEmpty }: RosterOwner,
  ) {
    this.slots = new ConnectionSlots(connections)
    this.idle = new IdleWatch(this.held, idleTimeout)
    this.tally = new ConnectionTally(server, busiestSource)
    this.#whyFull = whyFull
    this.#onEmpty = onEmpty
  }

  /** True if there is a slot. */
  hold(connection: HeldConnection): boolean {
    this.held.add(connection)
    this.idle.start()
    this.tally.accepted(connection)
    return this.slots.take()
  }

  release(connection: HeldConnection, { hasSlot, served }: Progress): void {
    this.held.delete(connection)
    if (hasSlot) this.slots.free()
    this.tally.closed(connection, served)
    if (this.held.size === 0) this.#onEmpty()
  }

  full(): ProxyProtocolError {
    return new ProxyProtocolError(this.#whyFull, { detail: `${this.slots.limit} are open` })
  }
}
