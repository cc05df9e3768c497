// Many of a kind, so many at a time: more than the backlog of a listener would be sent again after a second.

/** Does it for 0 to `count` - 1, `width` of them at a time, and resolves with all results in order. */
export async function atOnce<T>(
  count: number,
  width: number,
  one: (n: number) => Promise<T>,
): Promise<readonly T[]> {
  const results: T[] = []
  let next = 0
  async function work(): Promise<void> {
    while (next < count) {
      const n = next++
      results[n] = await one(n)
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, count) }, work))
  return results
}
