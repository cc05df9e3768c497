// Walks over bytes as TLS writes them: numbers, and vectors behind their length (RFC 8446 section 3). Stepping past the
// end throws a RangeError, so that nobody has to check a length twice.

export class Cursor {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Bytes that are not taken yet. */
  get left(): number {
    return this.#bytes.length - this.#at
  }

  /** @throws RangeError when there are fewer. */
  take(length: number): Uint8Array {
    if (length > this.left) {
      throw new RangeError(`a length in it is wrong: ${length} bytes are said to follow, but ${this.left} do`)
    }
    const taken = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return taken
  }

  /** A big-endian number of so many bytes. */
  uint(bytes: number): number {
    return this.take(bytes).reduce((value, byte) => value * 256 + byte, 0)
  }

  /** The bytes behind a length of so many bytes. */
  vector(lengthBytes: number): Cursor {
    return new Cursor(this.take(this.uint(lengthBytes)))
  }

  /** All that are left. */
  rest(): Uint8Array {
    return this.take(this.left)
  }
}
