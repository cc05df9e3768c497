// The open connections of a member that may have to end them.

import type { Socket } from 'node:net'
import { ProxyProtocolError } from 'proxyprotocol'

export interface Abortable {
  abort(reason: ProxyProtocolError): void
}

export class OwnedConnections {
  readonly #owners = new Set<Abortable>()
  #timer: NodeJS.Timeout | undefined

  add(socket: Socket, owner: Abortable): void {
    this.#owners.add(owner)
    socket.on('close', () => this.#owners.delete(owner))
  }

  abort(reason: ProxyProtocolError): void {
    for (const owner of this.#owners) owner.abort(reason)
  }

  /** Again and again until `keep()`, because a connection may be made just before the end. */
  abortEvery(milliseconds: number, detail: string): void {
    this.#timer = setInterval(() => {
      this.abort(new ProxyProtocolError('upstream_removed', { detail }))
    }, milliseconds).unref()
  }

  keep(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
