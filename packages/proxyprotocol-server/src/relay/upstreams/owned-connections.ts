// The open connections of a member that may have to end them.

import { ProxyProtocolError } from 'proxyprotocol'

export interface Abortable {
  abort(reason: ProxyProtocolError): void
}

/** A socket, or what is connected without one. */
export interface Closing {
  on(event: 'close', listener: () => void): unknown
}

export class OwnedConnections {
  readonly #owners = new Set<Abortable>()
  #timer: NodeJS.Timeout | undefined

  add(connected: Closing, owner: Abortable): void {
    this.#owners.add(owner)
    connected.on('close', () => this.#owners.delete(owner))
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
