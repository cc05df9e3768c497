// Merged, sorted intervals of addresses, for a binary search.

/** Both bounds are included. */
export interface AddressInterval {
  readonly first: Uint8Array
  readonly last: Uint8Array
}

const WORD_BYTES = 4

export class AddressIntervals {
  readonly #bounds: Uint32Array
  readonly #sought: Uint32Array

  constructor(intervals: readonly AddressInterval[], addressBytes: 4 | 16) {
    const merged = mergeIntervals(intervals)
    const words = addressBytes / WORD_BYTES
    this.#sought = new Uint32Array(words)
    this.#bounds = new Uint32Array(2 * words * merged.length)
    for (const [index, { first, last }] of merged.entries()) {
      writeWords(first, this.#bounds, 2 * index * words)
      writeWords(last, this.#bounds, (2 * index + 1) * words)
    }
  }

  has(address: Uint8Array): boolean {
    const sought = this.#sought
    const bounds = this.#bounds
    const words = sought.length
    const count = bounds.length / (2 * words)
    writeWords(address, sought, 0)
    let low = 0
    let high = count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareAt(sought, bounds, (2 * middle + 1) * words) > 0) low = middle + 1
      else high = middle
    }
    return low < count && compareAt(sought, bounds, 2 * low * words) >= 0
  }
}

function compareAt(sought: Uint32Array, bounds: Uint32Array, at: number): number {
  for (let word = 0; word < sought.length; word++) {
    const difference = Number(sought[word]) - Number(bounds[at + word])
    if (difference !== 0) return difference
  }
  return 0
}

function mergeIntervals(intervals: readonly AddressInterval[]): readonly AddressInterval[] {
  const merged: AddressInterval[] = []
  for (const next of intervals.toSorted((one, other) => Buffer.compare(one.first, other.first))) {
    const before = merged.at(-1)
    if (before === undefined || Buffer.compare(next.first, before.last) > 0) merged.push(next)
    else if (Buffer.compare(next.last, before.last) > 0) merged.splice(-1, 1, { ...before, last: next.last })
  }
  return merged
}

/** A view would make V8 allocate a buffer for each small array. */
function writeWords(address: Uint8Array, out: Uint32Array, at: number): void {
  let word = 0
  for (let i = 0; i < address.length; i++) {
    word = (word << 8) | Number(address[i])
    if (i % WORD_BYTES === WORD_BYTES - 1) out[at + (i >> 2)] = word
  }
}
