// Lists of figures are added item by item: items with the same key are one.

export interface Merging<Item> {
  readonly keyOf: (item: Item) => string
  readonly sum: (one: Item, other: Item) => Item
}

export function merged<Item>(
  one: readonly Item[],
  other: readonly Item[],
  { keyOf, sum }: Merging<Item>,
): readonly Item[] {
  const byKey = new Map(one.map(item => [keyOf(item), item]))
  for (const item of other) {
    const key = keyOf(item)
    const before = byKey.get(key)
    byKey.set(key, before ? sum(before, item) : item)
  }
  return [...byKey.values()]
}

export function sumOfNumbers<Numbers extends { readonly [Name in keyof Numbers]: number | undefined }>(
  one: Numbers,
  other: Numbers,
): Numbers {
  const sums: Record<string, number | undefined> = { ...one }
  for (const [name, value = 0] of Object.entries<number | undefined>(other))
    sums[name] = (sums[name] ?? 0) + value
  return sums as Numbers // it has the names of both
}
