// Decides about an accepted socket before it is served: trust, header, validators, and the limit per source.

import type { Socket } from 'node:net'
import { type ProxyHeader, ProxyProtocolError } from '../../codec/index.ts'
import { LiveSet } from '../../node-internals/index.ts'
import { Deadlines, type ExactRules, firstRoom, type ReadAhead, takeStart } from '../header/index.ts'
import type { Peer } from '../../trust/index.ts'
import {
  applyHeader,
  connectionInfo,
  type ConnectionInfo,
  knownInfo,
  markSecure,
  sourceOf,
} from '../socket/index.ts'
import type { AdmissionSettings } from './options.ts'
import { SourceCounts } from './source-counts.ts'
import { ask, type Refusal, whileOpen } from './verdict.ts'

/** One of `onAdmitted` and `onRefused` is called once, perhaps at once. */
export interface PendingConnection {
  readonly socket: Socket
  readonly transport: Peer['transport']
  readonly waited: number
  onFault(cause: unknown): void
  onMissing(): void
  onAdmitted(): void
  onRefused(error: ProxyProtocolError): void
}

interface Judged {
  readonly info: ConnectionInfo
  once(event: 'close', listener: () => void): unknown
}

type Expected = 'header' | 'ignored header' | 'nothing'

export class Admission {
  readonly #settings: AdmissionSettings
  readonly #rules: ExactRules
  readonly #ignoringRules: ExactRules
  readonly #pending = new LiveSet<Socket>()
  readonly #sources: SourceCounts

  constructor(settings: AdmissionSettings, ahead: ReadAhead = 'some') {
    const { decode, headerTimeout: timeout, missing, perSource, perSourceExempt } = settings
    this.#settings = settings
    const deadlines = new Deadlines()
    const room = firstRoom(decode, ahead)
    this.#rules = { decode, timeout, deadlines, optional: missing === 'direct', ahead, firstRoom: room }
    this.#ignoringRules = { ...this.#rules, optional: true }
    this.#sources = new SourceCounts(perSource, perSourceExempt)
  }

  get pending(): ReadonlySet<Socket> {
    return this.#pending
  }

  get busiestSource(): number {
    return this.#sources.most
  }

  get firstRoom(): Uint8Array | undefined {
    return this.#settings.isTrusted && this.#rules.firstRoom
  }

  admit(pending: PendingConnection): void {
    const deadline = performance.now() - pending.waited + this.#rules.timeout
    let expected: Expected
    try {
      // A socket that is gone would count for its source for ever.
      if (pending.socket.destroyed) throw new ProxyProtocolError('probe')
      expected = this.#expect(pending)
      if (expected !== 'nothing') this.#receive(pending, expected, deadline)
    } catch (error) {
      this.#pending.delete(pending.socket)
      return pending.onRefused(refusalOf(error))
    }
    if (expected === 'nothing') this.#judge(pending, undefined, deadline)
  }

  admitted({
    socket,
    transport,
    waited,
    onFault,
    onMissing,
  }: Omit<PendingConnection, 'onAdmitted' | 'onRefused'>): Promise<void> {
    return new Promise((onAdmitted, onRefused) => {
      this.admit({ socket, transport, waited, onFault, onMissing, onAdmitted, onRefused })
    })
  }

  /** Decides about a connection without a header and a socket; its validators answer at once. */
  refusalOf(connection: Judged, onFault: (cause: unknown) => void): ProxyProtocolError | undefined {
    const { info } = connection
    const refusal = ask({ validators: this.#settings.validators, info, onFault }) as Refusal // those of a relay do
    if (refusal) return refusal
    return this.#sources.add(connection, info.source) ? undefined : new ProxyProtocolError('limit_source')
  }

  #expect(pending: PendingConnection): Expected {
    const { isTrusted, untrusted } = this.#settings
    if (isTrusted === undefined) return 'nothing'
    const { socket, transport } = pending
    const { remoteAddress: address } = socket
    if (believes(isTrusted, { address, transport, ...localOf(socket) }, pending)) return 'header'
    // A peer that has gone already has no address, as health checks under load.
    if (address === undefined && transport === 'tcp') throw new ProxyProtocolError('probe')
    if (untrusted === 'reject') throw new ProxyProtocolError('untrusted_peer', { detail: address })
    return untrusted === 'ignore' ? 'ignored header' : 'nothing'
  }

  #receive(pending: PendingConnection, expected: Expected, deadline: number): void {
    this.#mustHaveRoom()
    const { socket, waited } = pending
    const isIgnored = expected === 'ignored header'
    const rules = isIgnored ? this.#ignoringRules : this.#rules
    this.#pending.add(socket)
    takeStart(socket, waited === 0 ? rules : { ...rules, timeout: left(deadline) }, {
      onStart: (header, rest) => {
        this.#pending.delete(socket)
        if (rest.length > 0) socket.unshift(rest)
        if (header === undefined && !isIgnored) pending.onMissing()
        this.#judge(pending, isIgnored ? undefined : header, deadline)
      },
      onFault: error => {
        this.#pending.delete(socket)
        pending.onRefused(error)
      },
    })
  }

  #mustHaveRoom(): void {
    const { pendingHeaders } = this.#settings
    if (this.#pending.size < pendingHeaders) return
    const detail = `limits.pendingHeaders, ${pendingHeaders}, wait for their headers`
    throw new ProxyProtocolError('limit_connections', { detail })
  }

  #judge(pending: PendingConnection, header: ProxyHeader | undefined, deadline: number): void {
    const { socket } = pending
    const { isTrusted, isSecure } = this.#settings
    applyHeader(socket, header)
    try {
      if (isSecure) markSecure(socket, isSecure(knownInfo(socket)))
    } catch (cause) {
      pending.onFault(cause)
      const detail = 'the option secure threw'
      return pending.onRefused(new ProxyProtocolError('denied_acl', { detail, cause }))
    }
    const validators = header || isTrusted === undefined ? this.#settings.validators : []
    if (validators.length === 0) return this.#conclude(pending, undefined)
    const info = knownInfo(socket)
    const refusal = ask({ validators, info, onFault: cause => pending.onFault(cause) })
    if (refusal instanceof Promise) this.#wait(pending, refusal, deadline)
    else this.#conclude(pending, refusal)
  }

  #wait(pending: PendingConnection, refusal: Promise<Refusal>, deadline: number): void {
    const { socket } = pending
    try {
      this.#mustHaveRoom()
    } catch (error) {
      return pending.onRefused(error as ProxyProtocolError) // #mustHaveRoom() throws nothing else
    }
    this.#pending.add(socket)
    void whileOpen(socket, refusal, left(deadline)).then(outcome => {
      this.#pending.delete(socket)
      this.#conclude(pending, outcome)
    })
  }

  #conclude(pending: PendingConnection, refusal: Refusal): void {
    // A validator that answers in the turn of the end comes before 'close'.
    if (!refusal && pending.socket.destroyed) return pending.onRefused(new ProxyProtocolError('aborted'))
    if (refusal) pending.onRefused(refusal)
    else if (this.#sources.add(pending.socket, sourceOf(pending.socket))) pending.onAdmitted()
    else pending.onRefused(new ProxyProtocolError('limit_source'))
  }
}

/** A socket that gives text is a fault of the program. */
function refusalOf(error: unknown): ProxyProtocolError {
  if (error instanceof ProxyProtocolError) return error
  return new ProxyProtocolError('aborted', { detail: (error as TypeError).message, cause: error })
}

function left(deadline: number): number {
  return Math.max(0, Math.round(deadline - performance.now()))
}

function localOf(socket: Socket): Pick<Peer, 'localAddress' | 'localPort'> {
  const local = connectionInfo(socket)?.via.local
  return local && 'address' in local ? { localAddress: local.address, localPort: local.port } : {}
}

/** A predicate that throws does not mean yes. */
function believes(isTrusted: (peer: Peer) => boolean, peer: Peer, pending: PendingConnection): boolean {
  try {
    return isTrusted(peer)
  } catch (cause) {
    pending.onFault(cause)
    throw new ProxyProtocolError('untrusted_peer', { detail: 'the trust predicate threw', cause })
  }
}
