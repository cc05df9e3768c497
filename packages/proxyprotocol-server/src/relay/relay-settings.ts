// What bounds a relay, settled at its start: every limit and timeout has a value, and can be shown.

import { tlvType } from 'proxyprotocol'
import {
  defaultTimeouts,
  descriptorLimit,
  type ServerLimits,
  type ServerTimeouts,
} from 'proxyprotocol/server'
import { DEFAULT_PASSED_TLVS } from './upstream-header.ts'

/** A host that needs longer is down for the person who waits. */
const DEFAULT_CONNECT_TIMEOUT = 5_000
/** Node's timers take no more. */
const MAX_TIMEOUT = 2_147_483_647
/** The accepted socket and the one upstream. */
const DESCRIPTORS_PER_CONNECTION = 2
/** Left to the rest of the process: listeners, files, name look-ups. */
const SPARE_DESCRIPTORS = 64

/** Durations in milliseconds. */
export interface RelayTimeouts extends ServerTimeouts {
  /** For the upstream: its name, all of its addresses, and TLS. Default 5000. */
  readonly connect?: number | undefined
}

/** What a relay is bounded by, and passes on. */
export interface RelaySettingsInit {
  /** As a server's; `connections` is by default what {@link connectionLimit} says. */
  readonly limits?: ServerLimits | undefined
  readonly timeouts?: RelayTimeouts | undefined
  /**
   * Types of TLVs that go on from an inbound header, in place of the relay's own of the same type. Default: alpn, authority,
   * uniqueId, ssl, and those of the clouds. A checksum is never passed on but computed anew.
   */
  readonly passTlvs?: readonly number[] | undefined
}

/** Settled; durations in milliseconds. */
export interface RelaySettings {
  readonly limits: ServerLimits & { readonly connections: number }
  readonly connectTimeout: number
  readonly timeouts: ServerTimeouts & Record<'header' | 'handshake' | 'idle' | 'halfClose', number>
  readonly passTlvs: ReadonlySet<number>
}

/**
 * How many connections a relay may have, by the limit on open files: each takes two, and the relays of a process share
 * them equally. `Infinity` where the system does not tell.
 *
 * @param services relays in this process.
 * @throws RangeError when that is no number of relays.
 *
 * @example
 * ```ts
 * import { connectionLimit } from 'proxyprotocol-server'
 *
 * connectionLimit(2, 1_024) // 240
 * ```
 */
export function connectionLimit(services = 1, descriptors: number = descriptorLimit() ?? Infinity): number {
  if (!Number.isInteger(services) || services < 1) {
    throw new RangeError(`services must be an integer of at least 1, got ${services}`)
  }
  const forAll = Math.floor((descriptors - SPARE_DESCRIPTORS) / DESCRIPTORS_PER_CONNECTION)
  return Math.max(1, Math.floor(forAll / services))
}

/** @throws TypeError or RangeError naming what is wrong; createServer() checks what it is passed. */
export function relaySettings({ limits, timeouts = {}, passTlvs }: RelaySettingsInit): RelaySettings {
  const { connect = DEFAULT_CONNECT_TIMEOUT, ...others } = timeouts
  if (!(Number.isFinite(connect) && connect > 0 && connect <= MAX_TIMEOUT)) {
    throw new RangeError(
      `timeouts.connect must be milliseconds, more than 0 and at most ${MAX_TIMEOUT}, got ${String(connect)}`,
    )
  }
  return {
    limits: { ...limits, connections: limits?.connections ?? connectionLimit() },
    connectTimeout: connect,
    timeouts: {
      ...others,
      header: others.header ?? defaultTimeouts.header,
      handshake: others.handshake ?? defaultTimeouts.handshake,
      idle: others.idle ?? defaultTimeouts.idle,
      halfClose: others.halfClose ?? defaultTimeouts.halfClose,
    },
    passTlvs: passed(passTlvs ?? DEFAULT_PASSED_TLVS),
  }
}

function passed(types: readonly number[]): ReadonlySet<number> {
  for (const type of types) {
    const passable = type !== tlvType.checksum && type !== tlvType.noop
    if (Number.isInteger(type) && type >= 0 && type <= 0xff && passable) continue
    throw new RangeError(`passTlvs takes types of TLVs, 0 to 255 without 3 and 4, got ${String(type)}`)
  }
  return new Set(types)
}
