// TLS sessions to resume, by server.

import type { TLSSocket } from 'node:tls'

/** As https.Agent and undici. */
const MAX_SESSIONS = 100

export class TlsSessions {
  readonly #sessions = new Map<string, Buffer>()

  get(server: string): Buffer | undefined {
    return this.#sessions.get(server)
  }

  /** TLS 1.3 sends sessions after the handshake. */
  collect(server: string, socket: TLSSocket): void {
    const established = socket.getProtocol() === 'TLSv1.3' ? undefined : socket.getSession()
    if (established) this.#keep(server, established)
    socket.on('session', session => this.#keep(server, session))
  }

  forget(server: string): void {
    this.#sessions.delete(server)
  }

  #keep(server: string, session: Buffer): void {
    this.#sessions.delete(server)
    this.#sessions.set(server, session)
    const [oldest] = this.#sessions.keys()
    if (this.#sessions.size > MAX_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest)
  }
}
