// A step past the end throws a RangeError, so no caller checks a length twice.

export class Cursor {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  take(length: number): Uint8Array {
    if (length > this.left) {
      throw new RangeError(`a length in it is wrong: ${length} bytes are said to follow, but ${this.left} do`)
    }
    const taken = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return taken
  }

  uint(bytes: number): number {
    return this.take(bytes).reduce((value, byte) => value * 256 + byte, 0)
  }

  vector(lengthBytes: number): Cursor {
    return new Cursor(this.take(this.uint(lengthBytes)))
  }

  rest(): Uint8Array {
    return this.take(this.left)
  }
}
