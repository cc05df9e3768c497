// What stands between an accepted socket and whoever serves it: whether the peer is believed, its header, what validators
// say of it, and how much one source may take.

import type { Socket } from 'node:net'
import { ProxyProtocolError, type ErrorCode } from '../codec/index.ts'
import type { AdmissionSettings } from './admission-options.ts'
import { applyHeader, type ConnectionInfo } from './connection-info.ts'
import { readStart } from './read-header.ts'
import { SourceCounts } from './source-counts.ts'
import type { Peer } from './trust.ts'

/** A socket that was just accepted. */
export interface Arrival {
  readonly socket: Socket
  readonly transport: Peer['transport']
  /** Milliseconds that it waited to be looked at, which count towards the header's deadline. */
  readonly waited: number
  /** Called with what a predicate or validator threw: its owner's fault, for which the connection is refused. */
  readonly onFault: (cause: unknown) => void
}

export class Admission {
  readonly #settings: AdmissionSettings
  readonly #pending = new Set<Socket>()
  readonly #sources: SourceCounts

  constructor(settings: AdmissionSettings) {
    this.#settings = settings
    this.#sources = new SourceCounts(settings.perSource)
  }

  /** The sockets that wait for their headers. */
  get pending(): ReadonlySet<Socket> {
    return this.#pending
  }

  /**
   * What is known of the connection, as soon as it may be served. Payload that came with the header is the first that the
   * socket gives.
   *
   * @throws ProxyProtocolError whose code is the reason to refuse the connection.
   */
  async admit(arrival: Arrival): Promise<ConnectionInfo> {
    const { socket } = arrival
    if (socket.destroyed) throw new ProxyProtocolError('probe') // nobody to serve, and its source would count for ever
    const info = this.#mustSend(arrival) ? await this.#receive(arrival) : applyHeader(socket, undefined)
    if (!this.#sources.add(socket, info.source)) throw new ProxyProtocolError('limit_source')
    return info
  }

  /** Whether a header is expected of the peer; a peer that is not even served is refused. */
  #mustSend({ socket: { remoteAddress: address }, transport, onFault }: Arrival): boolean {
    const { isTrusted, untrusted } = this.#settings
    if (isTrusted === undefined) return false
    const trusted = ask('untrusted_peer', { question: () => isTrusted({ address, transport }), onFault })
    if (trusted) return true
    // A peer without an address was gone before it could be asked for one, as health checks are under load.
    if (address === undefined && transport === 'tcp') throw new ProxyProtocolError('probe')
    if (untrusted === 'direct') return false
    throw new ProxyProtocolError('untrusted_peer', { detail: address })
  }

  async #receive({ socket, waited, onFault }: Arrival): Promise<ConnectionInfo> {
    const { decode, headerTimeout, missing, pendingHeaders, validators } = this.#settings
    if (this.#pending.size >= pendingHeaders) {
      throw new ProxyProtocolError('limit_connections', {
        detail: `limits.pendingHeaders, ${pendingHeaders}, wait for their headers`,
      })
    }
    this.#pending.add(socket)
    try {
      const timeout = Math.max(0, headerTimeout - waited)
      const { header, rest } = await readStart(socket, { ...decode, timeout, optional: missing === 'direct' })
      if (rest.length > 0) socket.unshift(rest)
      const info = applyHeader(socket, header)
      if (header === undefined) return info
      for (const validator of validators) {
        const refusal = ask('denied_acl', { question: () => validator(info), onFault })
        if (refusal !== undefined) throw refusalOf(refusal, onFault)
      }
      return info
    } finally {
      this.#pending.delete(socket)
    }
  }
}

/** The answer of code that is not ours; what it throws is no yes. */
function ask<T>(
  code: ErrorCode,
  { question, onFault }: { readonly question: () => T; readonly onFault: (cause: unknown) => void },
): T {
  try {
    return question()
  } catch (cause) {
    onFault(cause)
    const who = code === 'denied_acl' ? 'a validator' : 'the trust predicate'
    throw new ProxyProtocolError(code, { detail: `${who} threw`, cause })
  }
}

/** Anything but undefined and an error of ours is a validator's mistake, a promise above all, and no yes. */
function refusalOf(refusal: unknown, onFault: (cause: unknown) => void): ProxyProtocolError {
  if (refusal instanceof ProxyProtocolError) return refusal
  if (refusal instanceof Promise) refusal.catch(() => undefined) // nobody else will, and it would end the process
  const cause = new TypeError('a validator must give undefined or a ProxyProtocolError, at once')
  onFault(cause)
  return new ProxyProtocolError('denied_acl', { detail: cause.message, cause })
}
