// What a receiver accepts, checked once.

import type { Version } from './header.ts'
import { integer, oneOf, quote } from '../checks/index.ts'

/** UNIX addresses and a couple of certificates fit; nginx and go-proxyproto have the same limit. */
const DEFAULT_MAX_HEADER_BYTES = 4096
export const FIXED_BYTES = 16
/** The fixed 16 and the most that the length field announces (spec 2.2). */
export const MAX_V2_BYTES = 65_551

const BOTH: readonly Version[] = [1, 2]

/** How strictly a header is decoded. */
export interface DecodeOptions {
  /** Default `[1, 2]`. */
  readonly versions?: readonly Version[] | undefined
  /**
   * The longest version 2 header, in bytes with its fixed 16. Default 4096, at most 65551. Version 1 is
   * limited to 107 bytes.
   */
  readonly maxHeaderBytes?: number | undefined
  /**
   * IPv4 in a version 1 `TCP6` line, as nginx with realip and h2o send it. `'reject'` is the default (spec 2.1);
   * `'promote'` maps it to IPv6.
   */
  readonly mixedFamilies?: 'reject' | 'promote' | undefined
}

export class DecodeRules implements DecodeOptions {
  /** Undefined if not given: datagrams have another default. */
  readonly versions: readonly Version[] | undefined
  readonly maxHeaderBytes: number
  readonly mixedFamilies: 'reject' | 'promote'
  readonly v1: boolean
  readonly v2: boolean
  readonly promote: boolean

  constructor(options: DecodeOptions) {
    const { versions = BOTH, maxHeaderBytes = DEFAULT_MAX_HEADER_BYTES, mixedFamilies = 'reject' } = options
    checkVersions(versions)
    this.versions = options.versions && [...options.versions]
    this.maxHeaderBytes = integer(maxHeaderBytes, [FIXED_BYTES, MAX_V2_BYTES], 'maxHeaderBytes')
    this.mixedFamilies = oneOf(mixedFamilies, ['reject', 'promote'], 'mixedFamilies')
    this.v1 = versions.includes(1)
    this.v2 = versions.includes(2)
    this.promote = mixedFamilies === 'promote'
    Object.freeze(this)
  }
}

const defaults = new DecodeRules({})

/**
 * Checks options once; decoding does not check the result again.
 *
 * @throws TypeError or RangeError naming the option that is wrong.
 * @example
 * ```ts run
 * import { decodeHeader, decodeOptions } from 'proxyprotocol'
 *
 * const onlyV2 = decodeOptions({ versions: [2] })
 * console.log(decodeHeader(new TextEncoder().encode('PROXY '), onlyV2).status) // absent
 * ```
 */
export function decodeOptions(options?: DecodeOptions): DecodeOptions {
  return decodeRules(options)
}

export function decodeRules(options: DecodeOptions | undefined): DecodeRules {
  if (options === undefined) return defaults
  return options instanceof DecodeRules ? options : new DecodeRules(options)
}

function checkVersions(versions: readonly unknown[]): void {
  const known: readonly unknown[] = BOTH
  if (Array.isArray(versions) && versions.length > 0 && versions.every(version => known.includes(version)))
    return
  throw new TypeError(`versions must be [1], [2] or [1, 2], got ${quote(versions)}`)
}
