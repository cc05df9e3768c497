// One timer for all connections compares what each has moved. The sockets' own setTimeout() is left to the handlers.

import type { Socket } from 'node:net'
import { bytesTaken } from '../../node-internals/index.ts'

export interface Watched {
  /** Changes with each byte received or sent; undefined while idling does not count. */
  readonly activity: number | undefined
  abort(reason: 'idle_timeout'): void
}

/** Looks in one idle timeout: a connection ends at most one eighth later. */
const LOOKS = 8
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
  readonly #own = new WeakMap<Watched, number>()
  readonly #looks = new WeakMap<Watched, Look>()
  #timer: NodeJS.Timeout | undefined
  #interval = Infinity

  constructor(connections: ReadonlySet<Watched>, timeout: number) {
    this.#connections = connections
    this.#timeout = timeout
  }

  /** The timer stops by itself when there are no connections. */
  start(timeout: number = this.#timeout): void {
    const interval = Math.max(timeout / LOOKS, SHORTEST_INTERVAL)
    if (interval >= this.#interval) return
    this.#interval = interval
    clearInterval(this.#timer)
    this.#timer = setInterval(this.#look, interval).unref()
  }

  /** A timeout of its own for one connection. */
  set(connection: Watched, timeout: number): void {
    this.#own.set(connection, timeout)
    this.start(timeout)
  }

  readonly #look = (): void => {
    const now = performance.now()
    for (const connection of this.#connections) {
      const { activity } = connection
      const last = this.#looks.get(connection)
      if (last === undefined || activity === undefined || last.activity !== activity) {
        this.#looks.set(connection, { activity, since: now })
      } else if (now - last.since >= (this.#own.get(connection) ?? this.#timeout))
        connection.abort('idle_timeout')
    }
    if (this.#connections.size > 0) return
    clearInterval(this.#timer)
    this.#interval = Infinity
  }
}
