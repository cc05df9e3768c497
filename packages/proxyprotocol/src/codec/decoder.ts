// Collects chunks until they decide; keeps one header's bytes at most.

import { checkBytes, copyOf } from './bytes.ts'
import type { DecodeResult } from './decode-result.ts'
import { decodeWith, faultOf } from './decode.ts'
import type { ProxyProtocolError } from './errors.ts'
import { type DecodeOptions, decodeRules, type DecodeRules } from './options.ts'
import { NO_BYTES } from './tlv/index.ts'
import { MAX_V1_BYTES } from './v1/index.ts'
import { HINT_BYTES } from './what-arrived.ts'

/**
 * Decodes a header that arrives in pieces.
 *
 * @example
 * ```ts run
 * import { HeaderDecoder } from 'proxyprotocol'
 *
 * const decoder = new HeaderDecoder()
 * decoder.push(new TextEncoder().encode('PROXY UNKNOWN\r'))
 * const result = decoder.push(new TextEncoder().encode('\npayload'))
 * console.log(result.status, decoder.rest) // header, the bytes of "payload"
 * ```
 */
export class HeaderDecoder {
  readonly #rules: DecodeRules
  readonly #limit: number
  #buffer: Uint8Array = NO_BYTES
  #seen: Uint8Array = NO_BYTES
  #rest: Uint8Array = NO_BYTES
  #result: DecodeResult

  /** @throws TypeError or RangeError for wrong options. */
  constructor(options?: DecodeOptions) {
    this.#rules = decodeRules(options)
    this.#limit = Math.max(MAX_V1_BYTES, this.#rules.maxHeaderBytes)
    this.#result = decodeWith(this.#rules, NO_BYTES)
  }

  /** The result so far. */
  get result(): DecodeResult {
    return this.#result
  }

  /** Payload behind the header, as a view of its last chunk; empty until the header is complete. */
  get rest(): Uint8Array {
    return this.#rest
  }

  /**
   * Takes the next chunk of the stream, without keeping it.
   *
   * @throws Error after a final result, because what follows is payload; TypeError for text.
   */
  push(chunk: Uint8Array): DecodeResult {
    if (this.#result.status !== 'partial') {
      throw new Error(`the verdict is "${this.#result.status}" already; later bytes are not part of a header`)
    }
    checkBytes(chunk, 'chunk')
    const before = this.#seen.length
    const bytes = before === 0 ? chunk : this.#append(chunk)
    this.#result = decodeWith(this.#rules, bytes)
    if (this.#result.status === 'partial') this.#seen = before === 0 ? this.#append(chunk) : bytes
    else this.#release(bytes)
    if (this.#result.status === 'header') this.#rest = chunk.subarray(this.#result.byteLength - before)
    return this.#result
  }

  /**
   * The error for a stream that has no header, or ends before its header is complete.
   *
   * @throws Error if the header is complete.
   */
  fault(): ProxyProtocolError {
    if (this.#result.status === 'header') throw new Error('the header is complete and has no fault')
    return faultOf(this.#result, this.#seen)
  }

  /** Copies the bytes that tell what arrived: a view would pin the chunk. */
  #release(bytes: Uint8Array): void {
    this.#buffer = NO_BYTES
    this.#seen =
      this.#result.status === 'absent' ? copyOf(bytes, 0, Math.min(bytes.length, HINT_BYTES)) : NO_BYTES
  }

  #append(chunk: Uint8Array): Uint8Array {
    const length = this.#seen.length
    const total = Math.min(length + chunk.length, this.#limit)
    if (total > this.#buffer.length) {
      const larger = new Uint8Array(Math.min(Math.max(total, 2 * length, MAX_V1_BYTES), this.#limit))
      larger.set(this.#seen)
      this.#buffer = larger
    }
    this.#buffer.set(chunk.subarray(0, total - length), length)
    return this.#buffer.subarray(0, total)
  }
}
