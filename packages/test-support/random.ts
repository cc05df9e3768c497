// Chance that can be repeated: the same seed gives the same numbers, on every machine.

/** A source of numbers. */
export interface Random {
  /** An integer from 0 to `bound - 1`. */
  readonly below: (bound: number) => number
  /** One of the items, of which there is at least one. */
  readonly pick: <Item>(items: readonly Item[]) => Item
}

/** Mulberry32: small, quick, and even enough for choosing mutations. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  function below(bound: number): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound)
  }
  return { below, pick: <Item>(items: readonly Item[]) => items[below(items.length)] as Item } // by the bound
}
