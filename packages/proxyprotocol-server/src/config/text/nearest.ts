// Finds the known word that fewest edits lead to, if few enough do.

/** With three, short keys match everything. */
const MAX_EDITS = 2

export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let fewest = MAX_EDITS + 1
  for (const candidate of known) {
    const edits = editDistance(word.toLowerCase(), candidate.toLowerCase(), MAX_EDITS)
    if (edits < fewest) [best, fewest] = [candidate, edits]
  }
  return best
}

/** The budget bounds the recursion, so a long word costs little more. */
function editDistance(from: string, to: string, budget: number): number {
  if (budget < 0) return Infinity
  if (from === '' || to === '') return from.length + to.length
  const [fromRest, toRest] = [from.slice(1), to.slice(1)]
  if (to.startsWith(from.charAt(0))) return editDistance(fromRest, toRest, budget)
  const deleted = editDistance(fromRest, to, budget - 1)
  const inserted = editDistance(from, toRest, budget - 1)
  const replaced = editDistance(fromRest, toRest, budget - 1)
  return 1 + Math.min(deleted, inserted, replaced)
}
