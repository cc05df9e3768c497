// Ends connections on which nothing moves: one timer for all of them looks at what each has moved since the last time. The
// sockets' own setTimeout() is left to the handlers.

import type { Socket } from 'node:net'
import { bytesTaken } from '../../node-internals/index.ts'

/** A connection that can be idle. */
export interface Watched {
  /** A number that changes whenever a byte is received or taken by the peer; undefined while idling does not count. */
  readonly activity: number | undefined
  abort(reason: 'idle_timeout'): void
}

/** So often in an idle timeout it is looked: a connection ends at most that part later. */
const LOOKS = 8
/** Milliseconds: as often as a timer is still cheap. */
const SHORTEST_INTERVAL = 10

interface Look {
  readonly activity: number | undefined
  readonly since: number
}

/** Bytes received, and bytes that the kernel has taken. */
export function movedOn(socket: Socket): number {
  return socket.bytesRead + (bytesTaken(socket) ?? socket.bytesWritten)
}

export class IdleWatch {
  readonly #connections: ReadonlySet<Watched>
  readonly #timeout: number
  readonly #looks = new WeakMap<Watched, Look>()
  #timer: NodeJS.Timeout | undefined

  /** @param timeout in milliseconds; `Infinity` for never. */
  constructor(connections: ReadonlySet<Watched>, timeout: number) {
    this.#connections = connections
    this.#timeout = timeout
  }

  /** Called when there is a connection; it stops by itself when there is none. */
  start(): void {
    if (this.#timer !== undefined || this.#timeout === Infinity) return
    this.#timer = setInterval(this.#look, Math.max(this.#timeout / LOOKS, SHORTEST_INTERVAL)).unref()
  }

  readonly #look = (): void => {
    const now = performance.now()
    for (const connection of this.#connections) {
      const { activity } = connection
      const last = this.#looks.get(connection)
      if (last === undefined || activity === undefined || last.activity !== activity) {
        this.#looks.set(connection, { activity, since: now })
      } else if (now - last.since >= this.#timeout) connection.abort('idle_timeout')
    }
    if (this.#connections.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
