// The options of attachDatagrams(), checked once.

import { checkNames, checkObject, integer, limit, milliseconds, oneOf, quote } from '../checks/index.ts'
import { decodeOptions } from '../codec/index.ts'
import { compileTrust, type Peer, type Trust } from '../trust/index.ts'
import type { Framing, ReaderSettings } from './datagram-reader.ts'
import type { FlowSettings } from './flows/index.ts'

const DEFAULT_FLOWS = 10_000
/** Far below an MTU, to leave room for payload. */
const DEFAULT_HEADER_BYTES = 512
/** The fixed part of version 2, and the most that its length field announces (spec 2.2). */
const HEADER_BOUNDS = [16, 65_551] as const
const DEFAULT_FLOW_TIMEOUT = 30_000
/** At least two minutes (RFC 4787 section 4.3). */
const DEFAULT_CONFIRMED_TIMEOUT = 120_000

/** How a socket reads headers and remembers clients. */
export interface DatagramOptions {
  /** Peers that may send headers. */
  readonly trust: Trust
  /**
   * `'v2'` (default): a version 2 header in each datagram. `'spp'`: Simple Proxy Protocol, also in replies.
   * `'unsafe-first'`: a header only in the first datagram of a peer's port, also of version 1, as nginx sends
   * it. It needs `timeouts.flow`; a client can forge its address once this side has forgotten it.
   */
  readonly framing?: Framing | undefined
  /** Untrusted peers: `'drop'` (default), or `'direct'` for clients without a header. */
  readonly untrusted?: 'drop' | 'direct' | undefined
  /**
   * Trusted peers without a header: `'drop'` (default), or `'direct'`, for a migration only: clients behind
   * the proxy can then forge headers.
   */
  readonly missing?: 'drop' | 'direct' | undefined
  readonly limits?: DatagramLimits | undefined
  readonly timeouts?: DatagramTimeouts | undefined
}

/** Bounds on what clients hold. */
export interface DatagramLimits {
  /** Most at a time. Default 10000. */
  readonly flows?: number | undefined
  /** Most of one source address, or /64 for IPv6. Default `Infinity`. */
  readonly perSource?: number | undefined
  /** Longest version 2 header, in bytes. Default 512. */
  readonly headerBytes?: number | undefined
}

/** How long a silent client is remembered; up to a second more. */
export interface DatagramTimeouts {
  /**
   * Milliseconds for a client that has not spoken after a reply. Default 30000. `'unsafe-first'` needs more
   * than the proxy's timeout.
   */
  readonly flow?: number | undefined
  /** Milliseconds for one that has, at least `flow`. Default 120000, or `flow` if that is more. */
  readonly confirmed?: number | undefined
}

export interface DatagramSettings {
  readonly reader: ReaderSettings
  readonly flows: FlowSettings
}

export function datagramSettings(options: DatagramOptions): DatagramSettings {
  checkObject(options, 'options')
  checkNames(options, ['trust', 'framing', 'untrusted', 'missing', 'limits', 'timeouts'])
  const { trust, framing = 'v2', untrusted = 'drop', missing = 'drop', limits = {}, timeouts = {} } = options
  checkNames(limits, ['flows', 'perSource', 'headerBytes'], 'limits')
  checkNames(timeouts, ['flow', 'confirmed'], 'timeouts')
  const { flows = DEFAULT_FLOWS, perSource = Infinity, headerBytes = DEFAULT_HEADER_BYTES } = limits
  const isFirst = oneOf(framing, ['v2', 'spp', 'unsafe-first'], 'framing') === 'unsafe-first'
  if (isFirst && timeouts.flow === undefined) {
    throw new TypeError(
      "timeouts.flow must be longer than the proxy's timeout with framing 'unsafe-first', got undefined",
    )
  }
  integer(headerBytes, HEADER_BOUNDS, 'limits.headerBytes')
  return {
    reader: {
      framing,
      isTrusted: isTrustedBy(trust),
      untrusted: oneOf(untrusted, ['drop', 'direct'], 'untrusted'),
      missing: oneOf(missing, ['drop', 'direct'], 'missing'),
      decode: decodeOptions({ versions: isFirst ? [1, 2] : [2], maxHeaderBytes: headerBytes }),
    },
    flows: {
      flows: limit(flows, 'limits.flows'),
      perSource: limit(perSource, 'limits.perSource'),
      ...flowTimeouts(timeouts),
      evicts: !isFirst,
    },
  }
}

/** Most datagrams have the previous peer. A function may answer otherwise each time. */
function isTrustedBy(trust: Trust): (peer: Peer) => boolean {
  const isTrusted = compileTrust(trust)
  if (typeof trust === 'function') return isTrusted
  let [last, verdict]: [string | undefined, boolean] = [undefined, false]
  return peer => {
    if (peer.address !== last) [last, verdict] = [peer.address, isTrusted(peer)]
    return verdict
  }
}

function flowTimeouts({
  flow = DEFAULT_FLOW_TIMEOUT,
  confirmed = Math.max(DEFAULT_CONFIRMED_TIMEOUT, flow),
}: DatagramTimeouts): Pick<FlowSettings, 'newTimeout' | 'confirmedTimeout'> {
  milliseconds(flow, 'timeouts.flow', 1)
  milliseconds(confirmed, 'timeouts.confirmed', 1)
  if (confirmed < flow) {
    throw new RangeError(`timeouts.confirmed must be at least timeouts.flow, got ${quote(confirmed)}`)
  }
  return { newTimeout: flow, confirmedTimeout: confirmed }
}
