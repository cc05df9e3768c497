/** A string, and the colon that makes it a key. */
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g

/**
 * The value of a JSON text; undefined for other texts, and if a key is there twice, of which JSON.parse() takes the last.
 * A YAML parser needs twenty times as long.
 */
export function jsonValue(text: string): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    return keysIn(value) === keysWritten(text) ? { value } : undefined
  } catch {
    return undefined
  }
}

function keysWritten(text: string): number {
  return [...text.matchAll(STRING)].filter(([, colon]) => colon !== undefined).length
}

/** Without recursion, because nesting could exhaust the stack. */
function keysIn(value: unknown): number {
  const left: unknown[] = [value]
  let count = 0
  for (let next = left.pop(); left.length > 0 || next !== undefined; next = left.pop()) {
    if (typeof next !== 'object' || next === null) continue
    const inner: unknown[] = Object.values(next)
    if (!(next instanceof Array)) count += inner.length
    left.push(...inner)
  }
  return count
}
