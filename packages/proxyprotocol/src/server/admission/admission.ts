// What stands between an accepted socket and whoever serves it: whether the peer is believed, its header, what validators
// say of it, and how much one source may take.

import type { Socket } from 'node:net'
import { type ProxyHeader, ProxyProtocolError } from '../../codec/index.ts'
import { type StartRules, takeStart } from '../header/index.ts'
import { applyHeader, type ConnectionInfo, markSecure } from '../socket/index.ts'
import type { AdmissionSettings } from './options.ts'
import { SourceCounts } from './source-counts.ts'
import type { Peer } from './trust.ts'
import type { Validator } from './validators.ts'

/** A socket that was just accepted, and its server's ear: one of `onAdmitted` and `onRefused` is called, once, perhaps at once. */
export interface PendingConnection {
  readonly socket: Socket
  readonly transport: Peer['transport']
  /** Milliseconds that it waited to be looked at, which count towards the header's deadline. */
  readonly waited: number
  /** Called with what a predicate or validator threw: its owner's fault, for which the connection is refused. */
  onFault(cause: unknown): void
  /** It may be served; payload that came with the header is the first that the socket gives. */
  onAdmitted(info: ConnectionInfo): void
  /** It must not be served; the code says why. */
  onRefused(error: ProxyProtocolError): void
}

export class Admission {
  readonly #settings: AdmissionSettings
  readonly #rules: StartRules
  readonly #pending = new Set<Socket>()
  readonly #sources: SourceCounts

  /** @param readsOn whether payload may be read together with the header, which takes a single read. */
  constructor(settings: AdmissionSettings, readsOn = false) {
    const { decode, headerTimeout: timeout, missing, perSource, perSourceExempt } = settings
    this.#settings = settings
    this.#rules = { decode, timeout, optional: missing === 'direct', readsOn }
    this.#sources = new SourceCounts(perSource, perSourceExempt)
  }

  /** The sockets that wait for their headers. */
  get pending(): ReadonlySet<Socket> {
    return this.#pending
  }

  /** Decides on a connection. */
  admit(pending: PendingConnection): void {
    let mustSend: boolean
    try {
      // Nobody is there to be served, and its source would count for ever.
      if (pending.socket.destroyed) throw new ProxyProtocolError('probe')
      mustSend = this.#mustSend(pending)
      if (mustSend) this.#receive(pending)
    } catch (error) {
      this.#pending.delete(pending.socket)
      return pending.onRefused(error as ProxyProtocolError) // as both promise
    }
    if (!mustSend) this.#judge(pending, undefined)
  }

  /**
   * The same as a promise of what is known of the connection.
   *
   * @throws ProxyProtocolError whose code is the reason to refuse it.
   */
  admitted({
    socket,
    transport,
    waited,
    onFault,
  }: Omit<PendingConnection, 'onAdmitted' | 'onRefused'>): Promise<ConnectionInfo> {
    return new Promise((onAdmitted, onRefused) => {
      this.admit({ socket, transport, waited, onFault, onAdmitted, onRefused })
    })
  }

  /** Whether a header is expected of the peer; a peer that is not even served is refused. */
  #mustSend(pending: PendingConnection): boolean {
    const { isTrusted, untrusted } = this.#settings
    if (isTrusted === undefined) return false
    const { socket, transport } = pending
    const { remoteAddress: address } = socket
    if (believes(isTrusted, { address, transport }, pending)) return true
    // A peer without an address was gone before it could be asked for one, as health checks are under load.
    if (address === undefined && transport === 'tcp') throw new ProxyProtocolError('probe')
    if (untrusted === 'direct') return false
    throw new ProxyProtocolError('untrusted_peer', { detail: address })
  }

  #receive(pending: PendingConnection): void {
    const { pendingHeaders } = this.#settings
    if (this.#pending.size >= pendingHeaders) {
      throw new ProxyProtocolError('limit_connections', {
        detail: `limits.pendingHeaders, ${pendingHeaders}, wait for their headers`,
      })
    }
    const { socket, waited } = pending
    const left = Math.max(0, this.#rules.timeout - waited)
    const rules = waited === 0 ? this.#rules : { ...this.#rules, timeout: left }
    this.#pending.add(socket)
    takeStart(socket, rules, {
      onStart: (header, rest) => {
        this.#pending.delete(socket)
        if (rest.length > 0) socket.unshift(rest)
        this.#judge(pending, header)
      },
      onFault: error => {
        this.#pending.delete(socket)
        pending.onRefused(error)
      },
    })
  }

  /** The last word: what validators say of the header, and how much its source may take. */
  #judge(pending: PendingConnection, header: ProxyHeader | undefined): void {
    const { socket } = pending
    const { isTrusted, isSecure, validators } = this.#settings
    let info = applyHeader(socket, header)
    try {
      if (isSecure) info = markSecure(socket, info, isSecure(info))
    } catch (cause) {
      pending.onFault(cause)
      return pending.onRefused(
        new ProxyProtocolError('denied_acl', { detail: 'the option secure threw', cause }),
      )
    }
    for (const validator of header || isTrusted === undefined ? validators : []) {
      const refusal = refusalBy(validator, info, pending)
      if (refusal) return pending.onRefused(refusal)
    }
    if (this.#sources.add(socket, info.source)) pending.onAdmitted(info)
    else pending.onRefused(new ProxyProtocolError('limit_source'))
  }
}

/** @throws ProxyProtocolError when the predicate throws, which is no yes. */
function believes(isTrusted: (peer: Peer) => boolean, peer: Peer, pending: PendingConnection): boolean {
  try {
    return isTrusted(peer)
  } catch (cause) {
    pending.onFault(cause)
    throw new ProxyProtocolError('untrusted_peer', { detail: 'the trust predicate threw', cause })
  }
}

/** Anything but undefined and an error of ours is a validator's mistake, a promise above all, and no yes. */
function refusalBy(
  validator: Validator,
  info: ConnectionInfo,
  pending: PendingConnection,
): ProxyProtocolError | undefined {
  try {
    const refusal: unknown = validator(info)
    if (refusal === undefined || refusal instanceof ProxyProtocolError) return refusal
    if (refusal instanceof Promise) refusal.catch(() => undefined) // nobody else will, and it would end the process
  } catch (cause) {
    pending.onFault(cause)
    return new ProxyProtocolError('denied_acl', { detail: 'a validator threw', cause })
  }
  const cause = new TypeError('a validator must give undefined or a ProxyProtocolError, at once')
  pending.onFault(cause)
  return new ProxyProtocolError('denied_acl', { detail: cause.message, cause })
}
