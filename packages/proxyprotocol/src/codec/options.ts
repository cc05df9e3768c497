// What a receiver accepts, checked once and turned into the few flags that decoding asks for.

import type { Version } from './header.ts'
import { quote } from './quote.ts'

/**
 * 16 bytes, the UNIX block and a couple of certificates fit into 4 KiB; nginx and go-proxyproto draw the line there too.
 */
const DEFAULT_MAX_HEADER_BYTES = 4096
/** The fixed part of a version 2 header; no header can be shorter. */
export const FIXED_BYTES = 16
/** 16 bytes and the most that the 16-bit length field can announce (spec 2.2). */
export const MAX_V2_BYTES = 65_551

/** How strictly a header is decoded. */
export interface DecodeOptions {
  /** The versions to accept. Default `[1, 2]`: detect. */
  readonly versions?: readonly Version[] | undefined
  /**
   * The longest version 2 header to accept, in bytes and including its fixed 16. Default 4096, at most 65551.
   * Version 1 has its own limit of 107 bytes.
   */
  readonly maxHeaderBytes?: number | undefined
  /**
   * What to do with an IPv4 address in a version 1 `TCP6` line, as nginx with realip and h2o send it: `'reject'` (default,
   * spec 2.1) or `'promote'` to its v4-mapped form.
   */
  readonly mixedFamilies?: 'reject' | 'promote' | undefined
}

export interface DecodeRules {
  readonly v1: boolean
  readonly v2: boolean
  readonly maxHeaderBytes: number
  readonly promote: boolean
}

const defaults: DecodeRules = { v1: true, v2: true, maxHeaderBytes: DEFAULT_MAX_HEADER_BYTES, promote: false }

/** @throws TypeError or RangeError naming the option that is wrong. */
export function decodeRules(options: DecodeOptions | undefined): DecodeRules {
  if (options === undefined) return defaults
  const { versions = [1, 2], maxHeaderBytes = DEFAULT_MAX_HEADER_BYTES, mixedFamilies = 'reject' } = options
  const known: readonly unknown[] = [1, 2]
  if (
    !Array.isArray(versions) ||
    versions.length === 0 ||
    !versions.every(version => known.includes(version))
  ) {
    throw new TypeError(`versions must be [1], [2] or [1, 2], got ${quote(versions)}`)
  }
  if (!Number.isInteger(maxHeaderBytes) || maxHeaderBytes < FIXED_BYTES || maxHeaderBytes > MAX_V2_BYTES) {
    throw new RangeError(`maxHeaderBytes must be an integer from 16 to 65551, got ${quote(maxHeaderBytes)}`)
  }
  if (!['reject', 'promote'].includes(mixedFamilies)) {
    throw new TypeError(`mixedFamilies must be 'reject' or 'promote', got ${quote(mixedFamilies)}`)
  }
  return {
    v1: versions.includes(1),
    v2: versions.includes(2),
    maxHeaderBytes,
    promote: mixedFamilies === 'promote',
  }
}
